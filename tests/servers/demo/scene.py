"""The steps that come in more than one chapter, each with what it shows and what it proves."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from tests.servers.browser import Answer, Browser
from tests.servers.fixture import StandIn

from .device import Device
from .lines import request, until, who
from .services import Service
from .story import Story, listed

# How long the access lasts where a chapter waits for its end.
SHORT_ACCESS_S = 2

# What a header or a cookie has of a secret: whatever is long, in whichever way it is written.
_LONG = re.compile(r"[\w.~+/=-]{16,}")


@dataclass(frozen=True)
class Login:
    """One login: where it was, the server's id of its session, and what it said."""

    device: Device
    session: str
    status: dict[str, Any]


class Scene:
    def __init__(self, service: Service, server: StandIn, device: Device, story: Story) -> None:
        self.service = service
        self.server = server
        self.device = device
        self.story = story
        # How many sessions of the first device the server was seen to end, for the audit trail.
        self.revoked = 0
        # How many of its logouts the server has not confirmed.
        self.waiting = 0
        self.secrets = [server.VIEWER[1]]
        self._qr_was_shown = False
        # What the service tells of who is logged in.
        self._names: set[str] = set()

    # In

    def log_in(self, device: Device | None = None, *, where: str = "") -> Login:
        device = device or self.device
        self.story.step(f"Log in{where}")
        self.server.clear_journal()
        before = {one["id"] for one in self.server.sessions()}
        way = self.service.way
        if way == "password":
            status = device.run(self.story, "login", "--username", self.service.username)
        else:
            with_qr, self._qr_was_shown = not self._qr_was_shown, True
            status = device.log_in_elsewhere(self.story, way, self._agree, with_qr=with_qr)
        self._names = {text for text in status["account"].values() if text}
        self.viewer(f"logged in as {who(status)}{until(status)}")
        self.show_requests()
        self.prove("logged in", status["state"] == "signed_in", status)
        passwords = [one["has_password"] for one in self.server.journal()].count(True)
        if way == "password":
            self.prove("the password was sent once", passwords == 1, passwords)
        else:
            self.prove("the device never had the password", passwords == 0, passwords)
        new = [one for one in self.server.sessions() if one["id"] not in before]
        begun = [(one["alive"], one["email"]) for one in new] == [(True, self.server.VIEWER[0])]
        self.prove("the server has one new session of the viewer's, alive", begun, new)
        return Login(device, new[0]["id"], status)

    def restore(self) -> None:
        self.story.step("Restart, and restore")
        self.server.clear_journal()
        self._restored()
        asked = self.server.journal()
        self.prove("without a request", asked == [], asked)

    def log_in_and_use(self) -> Login:
        login = self.log_in()
        self.restore()
        self.ask()
        return login

    def ask(self) -> None:
        self.story.step("Make a request that needs the login")
        self.server.clear_journal()
        if self.service.asked_by_addon:
            self.story.line("Python", f"an add-on sends session.headers to {self.service.url}")
            found = self._ask_with(self.device.copied_credentials(self.story)["headers"])
            status, body = found.status, found.text
        else:
            answer = self.device.run(self.story, "request", *self.service.ask)
            status, body = answer["status"], answer["body"]
        self.viewer(f"{status} {body}")
        self.show_requests()
        known = status == 200 and any(one in body for one in self._names)
        self.prove("the server knows who is asking", known, f"{status} {body}")

    # Renewed

    def log_in_for_a_moment(self) -> Login:
        """A login whose access ends soon; what comes later lasts as long as ever."""
        name = self.service.access_lifetime
        usual = self.server.settings()[name]
        self.server.settings(**{name: SHORT_ACCESS_S})
        login = self.log_in(where=f" (access lasts {SHORT_ACCESS_S} s here)")
        self.server.settings(**{name: usual})
        return login

    def come_back_after_the_end(self, login: Login) -> None:
        """Restored, renewed, and asked. Some services do not tell when the access ends: there the
        first request finds out.
        """
        self.story.step("Restart after access has expired, and restore")
        time.sleep(SHORT_ACCESS_S + 0.5)
        self.server.clear_journal()
        self._restored()
        is_known = login.status["expires_at"] is not None
        if is_known:
            self._prove_renewed()
            self.restore()
            self.ask()
        else:
            self.viewer("(only the server knows that access has expired, and will say so)")
            self.ask()
            self._prove_renewed()

    # Out

    def copy_as_a_thief(self, login: Login) -> dict[str, Any]:
        self.story.step("Copy the credentials, as a thief would")
        return self.copy(login)

    def log_out(
        self, step: str, device: Device | None = None, *options: str, journal: bool = True
    ) -> dict[str, Any]:
        """`journal` False: there is no server to ask what it saw."""
        self.story.step(step)
        if journal:
            self.server.clear_journal()
        report = (device or self.device).run(self.story, "logout", *options)
        ended = f"; sessions ended: {report['sessions_ended']}" if options else ""
        took = f"; in {report['duration_ms']} ms"
        self.viewer(f"here: {report['local']}; at the server: {report['remote']}{ended}{took}")
        if "leaves" in report:
            self.viewer(f"a logout does not end {report['leaves']}")
        if journal:
            self.show_requests()
        return report

    def copy(self, login: Login) -> dict[str, Any]:
        copy = login.device.copied_credentials(self.story)
        for value in (*copy["headers"].values(), *copy["cookies"].values()):
            self.secrets += _LONG.findall(value)
        accepted = self.accepted(copy)
        self.prove(f"the server accepts {listed(accepted)}", all(accepted.values()), accepted)
        return copy

    def accepted(self, copy: dict[str, Any]) -> dict[str, bool]:
        """Each of the copied credentials alone, as the server sees it now: the token is tried by a
        request, with the headers as they were copied.
        """
        headers, cookies = copy["headers"], self.service.cookies
        token = {"the token": self._ask_with(headers).status == 200} if headers else {}
        check = self.server.check
        return {**token, **{name: check(cookies={name: copy["cookies"][name]}) for name in cookies}}

    def prove_told(self, login: Login) -> None:
        """The logout came, with the credentials of this session and no other."""
        ways_out = self.service.ways_out
        if not ways_out:
            asked = self.server.journal()
            self.prove("the service has no way out, and nothing was sent", asked == [], asked)
        for path in dict.fromkeys(ways_out):
            carried = [one["session"] for one in self.server.journal(path=path)]
            told = carried == [login.session] * ways_out.count(path)
            times = {1: "once", 2: "twice"}[ways_out.count(path)]
            self.prove(f"{path} was called {times}, for this session", told, carried)

    def prove_reported(self, report: dict[str, Any]) -> None:
        """The best that the service documents is said, and nothing better."""
        told = (report["local"], report["remote"])
        if "session" in self.service.lives_on:
            what, remote = "logged out here, and no success claimed", "unconfirmed"
            # Nothing waits where nothing can be sent.
            self.waiting += bool(self.service.ways_out)
        else:
            what, remote = "the report says revoked", "revoked"
            self.revoked += 1
        self.prove(what, told == ("cleared", remote), report)
        if self.service.lives_on:
            self.prove("the report says what lives on", "leaves" in report, report)

    def prove_ended(self, login: Login, copy: dict[str, Any]) -> None:
        accepted, session = self.accepted(copy), self.session(login)
        lives_on = self.service.lives_on
        if "token" in lives_on:
            so = all(accepted.values())
            self.prove(f"rightly: the server still accepts {listed(accepted)}", so, accepted)
        else:
            refused = not any(accepted.values())
            self.prove(f"the server now refuses {listed(accepted)}", refused, accepted)
        if "session" in lives_on:
            self.prove("rightly: the session is alive at the server", session["alive"], session)
        else:
            self.prove("the session is over at the server", not session["alive"], session)
        if "reuses" in session:
            self.prove("no refresh token was used twice", session["reuses"] == 0, session)

    def stay_out(self) -> None:
        self.story.step("Restart: still logged out")
        self.device.run(self.story, "restore", expect=3)
        self.viewer("nobody is logged in (exit status 3)")
        entries = self.device.run(self.story, "outbox")["entries"]
        what = f"logouts waiting for the server's confirmation: {self.waiting}"
        self.prove(what, len(entries) == self.waiting, entries)

    def deliver(self, step: str, login: Login, copy: dict[str, Any]) -> None:
        """The waiting logout. In Kodi the service does this by itself."""
        self.story.step(step)
        self.server.clear_journal()
        drained = self.device.run(self.story, "outbox", "--drain")
        self.viewer(f"revoked: {drained['revoked']}; still waiting: {len(drained['entries'])}")
        self.show_requests()
        if "session" in self.service.lives_on:
            what, expected = "sent, and no success claimed", (0, self.waiting)
        else:
            self.waiting -= 1
            self.revoked += 1
            what, expected = "sent, and the outbox is empty", (1, 0)
        told = (drained["revoked"], len(drained["entries"]))
        self.prove(what, told == expected, drained)
        self.prove_told(login)
        self.prove_ended(login, copy)

    # Short forms

    def session(self, login: Login) -> dict[str, Any]:
        return next(one for one in self.server.sessions() if one["id"] == login.session)

    def viewer(self, text: str) -> None:
        self.story.line("viewer", text)

    def prove(self, what: str, holds: bool, found: object = "") -> None:
        self.story.prove(what, holds, found)

    def show_requests(self) -> None:
        told: list[list[Any]] = []
        for one in self.server.journal():
            line = request(one)
            if told and told[-1][0] == line:
                told[-1][1] += 1
            else:
                told.append([line, 1])
        for line, times in told:
            self.story.line("server", line if times == 1 else f"{line}, {times} times")
        if not told:
            self.story.line("server", "saw no request")

    # Within

    def _agree(self, address: str, code: str = "") -> str:
        """What the viewer does elsewhere; gives what he types here afterwards, if anything."""
        does = "enters the code" if self.service.way == "code" else "opens the address"
        device = "browser" if self.service.way == "browser" else "phone"
        self.story.line(device, f"the viewer {does}, logs in and agrees")
        if self.service.way != "browser":
            self.server.approve(code or address)
            return ""
        ended = self.server.authorize(address)
        self.story.line("viewer", f"pastes where that ended: {ended.partition('?')[0]}?…")
        return f"{ended}\n"

    def _prove_renewed(self) -> None:
        journal = self.server.journal()
        renewals = [one for one in journal if one["path"] == self.service.renewal]
        self.prove("renewed with one request", len(renewals) == 1, renewals)
        passwords = any(one["has_password"] for one in journal)
        self.prove("without the password", not passwords)

    def _restored(self) -> None:
        status = self.device.run(self.story, "restore")
        self.viewer(f"logged in as {who(status)}{until(status)}")
        self.show_requests()
        self.prove("logged in again", status["state"] == "signed_in", status)

    def _ask_with(self, headers: dict[str, str]) -> Answer:
        """What needs the login, asked by whoever has these headers."""
        browser, data = Browser(self.server), self.service.data
        if not data:
            return browser.get(self.service.url, False, **headers)
        typed = {"Content-Type": "application/json", **headers}
        return browser.post(self.service.url, data.encode(), False, **typed)
