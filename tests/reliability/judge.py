"""What must hold after each case, by the word of the server and of a process without faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from signal import SIGKILL

from tests.reliability.bench import Evidence
from tests.reliability.operations import OPERATIONS
from tests.reliability.server import PASSWORD, Session

# Invariant: what its breach means. The order is the table's.
INVARIANTS = {
    "crash": "a panic, a signal, a bug's code, an error without a type, or no answer within 20 s",
    "late": "an answer later than 6 s: twice the longest deadline of its parts",
    "unusable": "a clean process cannot read what is stored, or cannot use it",
    "quarantine": "a fault was taken for damage, and the vault was put away",
    "bystander": "an account that the operation was not about is gone, or is another session",
    "lost": "a session lives at the server that nobody holds, and that nobody will end",
    "dead": "a session is stored that the server does not take (any more)",
    "restored": "somebody who was told to be logged out is logged in again",
    "false word": "what was said is not so",
    "gave up": "one fault that was over at once kept a logout from logging out",
    "not told": "the server was there, a session that was logged out lives, and nothing waits",
    "secret": "a password, token or cookie in a file, a message or the log",
}

# Seconds.
LATE = 6.0


@dataclass(frozen=True)
class Breach:
    invariant: str
    what: str


def judge(evidence: Evidence) -> list[Breach]:
    return [Breach(*breach) for breach in _Judge(evidence).breaches()]


def is_incomplete(evidence: Evidence) -> bool:
    """The logout has said itself that it is not one."""
    said = evidence.act.get("said", {})
    return said.get("error") == "logout_incomplete"


Breaches = Iterator[tuple[str, str]]


class _Judge:
    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.case = evidence.case
        self.operation = OPERATIONS[self.case.operation]
        self.user = self.operation.user
        self.act, self.look = evidence.act, evidence.look
        self.said = self.act.get("said", {})
        self.ok = self.said.get("ok")
        self.error = self.said.get("error", "")

    def breaches(self) -> Breaches:
        self.is_killed = self.case.fault.error == "kill" and self.act.get("died") == -SIGKILL
        if not self.is_killed:
            yield from self.troubles("the operation", self.act)
        yield from self.troubles("the look", self.look)
        yield from self.secrets()
        if not self.is_readable() or not (self.is_killed or "said" in self.act):
            return
        yield from self.bystanders()
        if not self.is_killed:
            yield from self.word()
        yield from self.held()
        yield from self.lost()
        yield from self.trail()

    def troubles(self, who: str, answer: dict) -> Breaches:
        if "hung" in answer:
            yield "crash", f"{who} gave no answer in {answer['hung']} s"
        if "died" in answer:
            yield "crash", f"{who} ended with {answer['died']}: {answer['stderr'][-300:]}"
        if "panicked" in answer["stderr"]:
            yield "crash", f"{who}: {answer['stderr'][:300]}"
        for step in ("said", "after", "reading", "using"):
            outcome = answer.get(step) or {}
            if "surprise" in outcome:
                yield "crash", f"{who}: {outcome['surprise'][-300:]}"
            elif outcome.get("error") == "internal_error":
                yield "crash", f"{who}: {outcome['message']}"
            elif "error" in outcome and step in ("reading", "using"):
                yield "unusable", f"{who}: {outcome['error']}: {outcome['message']}"
        if answer.get("seconds", 0) > LATE:
            yield "late", f"{who} took {answer['seconds']:.1f} s"

    def is_readable(self) -> bool:
        return "ok" in self.look.get("reading", {})

    def secrets(self) -> Breaches:
        known = [secret for one in self.evidence.after.sessions for secret in one.secrets()]
        places = {
            **self.evidence.files,
            "the log": self.act.get("log", "").encode(),
            "what was said": str(self.said).encode(),
            "standard error": self.act["stderr"].encode(),
        }
        for place, data in places.items():
            if any(secret.encode() in data for secret in [PASSWORD, *known]):
                yield "secret", place

    def stored(self, user: str) -> Session | None:
        """The session that the clean process found, whether it lives or not."""
        return self.evidence.after.owner(self.look["cookies"].get(user, ""))

    def before(self, user: str) -> Session | None:
        """The session that was there at first."""
        found = [one for one in self.evidence.before.sessions if one.user == user]
        return found[0] if found else None

    def is_alive(self, session: Session) -> bool:
        """After the operation."""
        return session.number in self.evidence.between.living()

    def bystanders(self) -> Breaches:
        if self.case.operation == "forget":
            return
        for user in {"ann", "bob"} - {self.user} if self.operation.template != "nobody" else set():
            stored, before = self.stored(user), self.before(user)
            if stored is None or before is None or stored.number != before.number:
                yield "bystander", f"{user} is {'gone' if stored is None else 'another session'}"
            elif not self.is_alive(stored):
                yield "bystander", f"{user}'s session was ended: {stored.ended}"

    def word(self) -> Breaches:
        name = self.case.operation
        if "login" in name:
            yield from self.login()
        elif name.startswith("renew"):
            yield from self.renewal()
        elif name.startswith("logout"):
            yield from self.logout()
        elif name == "drain" and self.ok:
            waited = self.before(self.user)
            if self.ok["revoked"] and waited and self.is_alive(waited):
                yield "false word", f"revoked {self.ok['revoked']}, and the session lives"
        elif name == "switch":
            active = self.look["accounts"].get(self.user)
            if active is not bool(self.ok):
                yield "false word", f"the switch said {self.error or 'ok'}; bob is active: {active}"
        elif name == "forget":
            yield from self.forgetting()

    def login(self) -> Breaches:
        before, stored = self.before(self.user), self.stored(self.user)
        is_new = stored is not None and (before is None or stored.number != before.number)
        if self.ok and not is_new:
            yield "false word", "the login said that it is one, and the new session is not stored"
        elif not self.ok and is_new:
            yield "false word", f"the login said {self.error}, and the new session is stored"
        elif not self.ok and before is not None and stored is None:
            yield "lost", f"the login said {self.error}, and the old session is not stored any more"

    def renewal(self) -> Breaches:
        stored = self.stored(self.user)
        if stored is None:
            yield "lost", f"the renewal said {self.ok or self.error}, and no session is stored"
        elif not self.is_alive(stored):
            yield "lost", f"the renewal said {self.ok or self.error}; ended by: {stored.ended}"

    def logout(self) -> Breaches:
        session = self.before(self.user)
        assert session is not None
        is_stored, is_alive = self.stored(self.user) is not None, self.is_alive(session)
        after = (self.act.get("after") or {}).get("ok", {}).get("state")
        if self.ok:
            remote = self.ok["remote"]
            if self.ok["local"] != "cleared":
                yield "false word", f"said {self.ok['local']} of somebody who was logged in"
            if is_stored or after == "signed_in":
                yield "restored", f"said {remote}, and a session is at hand; it lives: {is_alive}"
            if remote in ("revoked", "already_ended", "nothing_to_revoke") and is_alive:
                yield "false word", f"said {remote}, and the session lives"
            return
        is_over_at_once = self.case.fault.every == 0
        if is_stored and is_alive and is_over_at_once:
            yield "gave up", f"{self.error}: {self.said.get('message')}"
        if self.error != "logout_incomplete" and not (is_stored and is_alive):
            yield "false word", f"said {self.error}, and the session is gone"
        if self.error == "logout_incomplete" and after == "signed_in":
            yield "restored", "said logged out until the next start, and is logged in in this one"

    def forgetting(self) -> Breaches:
        living = len(self.evidence.between.living())
        if not self.ok:
            held = len(self.look["accounts"]) + len(self.look["waiting"])
            if living > held:
                yield "false word", f"said {self.error}, and gave up {living - held} that live"
            return
        if self.look["accounts"] or self.look["waiting"]:
            yield (
                "restored",
                f"forgotten, and there are {self.look['accounts']}, {self.look['waiting']}",
            )
        if living > self.ok["pending"]:
            yield "false word", f"{self.ok['pending']} given up, and {living} live"

    def held(self) -> Breaches:
        """What is stored must be of use, unless a logout has said that it could not remove it."""
        for user, cookie in self.look["cookies"].items():
            is_said = user == self.user and is_incomplete(self.evidence)
            if not is_said and not self.evidence.between.accepts(cookie):
                yield "dead", f"{user}'s stored session is not accepted"
        renewed = self.look.get("renewed")
        if renewed and "ok" not in renewed and self.error != "logout_incomplete":
            yield "dead", f"the stored session cannot be renewed: {renewed.get('error')}"

    def lost(self) -> Breaches:
        """After a clean process has drained the outbox, whatever lives must be stored. To forget is
        to give up what cannot be told; `forgetting` looks whether that was said."""
        if self.case.operation == "forget" and (not self.is_killed or not self.case.is_well):
            return
        after = self.evidence.after
        cookies = {**self.look["cookies"], **self.look.get("cookies_renewed", {})}
        kept = {owner.number for owner in map(after.owner, cookies.values()) if owner}
        lost = [one for one in after.sessions if not one.ended and one.number not in kept]
        if lost and is_incomplete(self.evidence):
            if self.case.is_well:
                yield "not told", self.said["message"]
        elif lost:
            whose = ", ".join(sorted({one.user for one in lost}))
            yield "lost", f"said {self.ok or self.error}; lives, and nobody holds it: {whose}'s"

    def trail(self) -> Breaches:
        audit = self.look.get("audit", [])
        if any(event == "vault_damaged" for event, *_ in audit):
            yield "quarantine", "vault_damaged is in the audit trail"
        for user in {account for _, account, _ in audit}:
            told = [event for event, account, _ in audit if (event, account) == ("revoked", user)]
            ended = [one for one in self.evidence.after.sessions if one.user == user and one.ended]
            if len(told) > len(ended):
                yield "false word", f"the audit trail has {len(told)} ends of {user}'s {len(ended)}"
