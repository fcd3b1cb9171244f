"""The main job, told step by step: what `make run` shows.

Starts a stand-in server, then drives the real command line, a new process for each step, so that
every step is also a restart. Prints what the viewer sees and what the server saw, and proves each
step at the server; ends with 1 when a proof fails. Nothing but the service is a stand-in, and
nothing outside this machine is asked.

    python -m tests.servers.demo [PROVIDER]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tests.servers.fixture import AngelServer
from tests.servers.story import Device, ProofFailedError, Story


@dataclass
class Service:
    """What the story needs to know of a service."""

    name: str
    server: Callable[[Path], AngelServer]
    username: str
    password: str
    # An authenticated request, and what its answer shows when the server knows who asks.
    request: tuple[str, str, str]
    shows: str
    # Cookies that the server accepts for themselves, while the session lives.
    credentials: tuple[str, ...]
    logout_path: str


SERVICES = {
    "angel": Service(
        name="Angel Studios",
        server=AngelServer,
        username=AngelServer.VIEWER[0],
        password=AngelServer.VIEWER[1],
        request=(
            "POST",
            "https://api.angelstudios.com/graphql",
            '{"query": "{ me { email } }"}',
        ),
        shows=AngelServer.VIEWER[0],
        credentials=("angel_jwt_v2", "_ellis_island_web_user_remember_me"),
        logout_path="/logout",
    ),
}


def main() -> int:
    names = sys.argv[1:] or ["angel"]
    if len(names) != 1 or names[0] not in SERVICES:
        print(f"usage: python -m tests.servers.demo [{'|'.join(SERVICES)}]", file=sys.stderr)
        return 2
    service = SERVICES[names[0]]
    with tempfile.TemporaryDirectory(prefix="sessionkeeper-demo-") as directory:
        home = Path(directory)
        with service.server(home / "server") as server:
            print(f"The main job, with {service.name} played by a server on this machine:")
            for resolve in server.resolve:
                host, port, address = resolve.split(":")
                print(f"    {host:<24} is at {address}:{port}")
            print("Each command is a process of its own: it knows only what was stored before.")
            device = Device(names[0], service.password, server, home)
            tale = Tale(service, server, device, Story())
            try:
                tale.online()
                tale.offline()
            except ProofFailedError:
                print("\nThe main job does not hold: see FAILED above.")
                return 1
    print(f"\nAll {tale.story.proofs} proofs hold.")
    return 0


@dataclass
class Tale:
    service: Service
    server: AngelServer
    device: Device
    story: Story

    def online(self) -> None:
        self.story.chapter("With the network")
        self._log_in()
        self._restore()
        self._ask()

        self.story.step("Keep a copy of the credentials, as a thief would")
        copy = self._copy()

        self.story.step("Log out")
        self.server.clear_journal()
        report = self._run("logout")
        here, there = report["local"], report["remote"]
        self._viewer(f"here: {here}; at the server: {there}; in {report['duration_ms']} ms")
        self._show_requests()
        self._prove("the report says revoked", (here, there) == ("cleared", "revoked"), report)
        self._ended_at_the_server(copy)

        self.story.step("Restart: still signed out")
        self._run("restore", expect=3)
        self._viewer("nobody is signed in (exit status 3)")
        waiting = self._run("outbox")["entries"]
        self._prove("nothing waits for the server", waiting == [], waiting)

    def offline(self) -> None:
        self.story.chapter("The same without the network")
        self._log_in()
        copy = self._copy()

        self.story.step("The server goes away; log out")
        self.server.stop()
        started = time.monotonic()
        report = self._run("logout")
        here, there = report["local"], report["remote"]
        took = time.monotonic() - started
        self._viewer(f"here: {here}; at the server: {there}; in {took:.1f} s")
        claimed = (here, there) == ("cleared", "deferred")
        self._prove("signed out here, and no success claimed", claimed, report)
        status = self._run("status")
        waiting = status["pending_revocations"]
        self._viewer(f"{status['state']}; logouts that wait for the server: {waiting}")
        kept = (status["state"], waiting) == ("signed_out", 1)
        self._prove("so it is after a restart", kept, status)

        self.story.step("The server is back, and knows nothing of it")
        self.server.start()
        self._prove("the old session still lives there", all(self._accepted(copy).values()))

        self.story.step("The waiting logout is delivered (in Kodi the service does this by itself)")
        self.server.clear_journal()
        drained = self._run("outbox", "--drain")
        self._viewer(f"revoked: {drained['revoked']}; still waiting: {len(drained['entries'])}")
        self._show_requests()
        delivered = (drained["revoked"], drained["entries"]) == (1, [])
        self._prove("delivered, and the outbox is empty", delivered, drained)
        self._ended_at_the_server(copy)

        self.story.step("What the device remembers of all this: the audit trail")
        self._audit(copy)

    # The steps that are told more than once, or are long

    def _log_in(self) -> None:
        self.story.step("Log in")
        self.server.clear_journal()
        status = self._run("login", "--username", self.service.username)
        ends = local_time(status["expires_at"], "%Y-%m-%d %H:%M")
        self._viewer(f"signed in as {status['account']['email']}, until {ends} unless renewed")
        self._show_requests()
        self._prove("signed in", status["state"] == "signed_in", status)
        passwords = [one["has_password"] for one in self.server.journal()].count(True)
        self._prove("the password was sent once", passwords == 1, passwords)
        alive = [one for one in self.server.sessions() if one["alive"]]
        self._prove("the server has one live session", len(alive) == 1, alive)

    def _restore(self) -> None:
        self.story.step("Restart, and restore")
        self.server.clear_journal()
        status = self._run("restore")
        self._viewer(f"signed in as {status['account']['email']}")
        self._show_requests()
        self._prove("signed in again", status["state"] == "signed_in", status)
        passwords = any(one["has_password"] for one in self.server.journal())
        self._prove("without the password", not passwords)

    def _ask(self) -> None:
        self.story.step("Ask for something that only the account may see")
        self.server.clear_journal()
        method, url, body = self.service.request
        kind = "Content-Type: application/json"
        answer = self._run("request", method, url, "--data", body, "--header", kind)
        self._viewer(f"{answer['status']} {answer['body']}")
        self._show_requests()
        known = answer["status"] == 200 and self.service.shows in answer["body"]
        self._prove("the server answered as to its own user", known, answer)

    def _copy(self) -> dict[str, Any]:
        copy = self.device.copied_credentials(self.story)
        accepted = self._accepted(copy)
        self._prove(f"the server accepts {listed(accepted)}", all(accepted.values()))
        return copy

    def _ended_at_the_server(self, copy: dict[str, Any]) -> None:
        logouts = self.server.journal(path=self.service.logout_path)
        carried = [one["session"] is not None for one in logouts]
        self._prove("one logout came, with the session's cookies", carried == [True], logouts)
        accepted = self._accepted(copy)
        refused = not any(accepted.values())
        self._prove(f"the server now refuses {listed(accepted)}", refused, accepted)
        alive = [one for one in self.server.sessions() if one["alive"]]
        self._prove("the server has no live session left", not alive, alive)

    def _audit(self, copy: dict[str, Any]) -> None:
        events = self._run("audit")["events"]
        for one in events:
            text = f"{one['event']:<10} {one['account']:<20} {one['outcome']}"
            self.story.line(local_time(one["at"], "%H:%M:%S"), text)
        secrets = [*copy["cookies"].values(), *copy["headers"].values(), self.service.password]
        text = json.dumps(events)
        self._prove("there is no secret in it", not any(secret in text for secret in secrets))
        revoked = [one["event"] for one in events].count("revoked")
        self._prove("two sessions revoked, each said once", revoked == 2, revoked)

    # Short forms

    def _run(self, *arguments: str, expect: int = 0) -> dict[str, Any]:
        return self.device.run(self.story, *arguments, expect=expect)

    def _viewer(self, text: str) -> None:
        self.story.line("viewer", text)

    def _prove(self, what: str, holds: bool, found: object = "") -> None:
        self.story.prove(what, holds, found)

    def _show_requests(self) -> None:
        requests = self.server.journal()
        if not requests:
            self.story.line("server", "was not asked")
        for one in requests:
            with_what = f", {len(one['cookies'])} cookies" if one["cookies"] else ""
            with_what += ", the password" if one["has_password"] else ""
            place = f"{one['method']:<4} {one['host']}{one['path']}"
            self.story.line("server", f"{place} -> {one['answer']}{with_what}")

    def _accepted(self, copy: dict[str, Any]) -> dict[str, bool]:
        """Each of the copied credentials alone, as the server sees it now."""
        token = copy["headers"]["Authorization"].partition(" ")[2]
        answers = {"the token": self.server.check(jwt=token)}
        for name in self.service.credentials:
            value = copy["cookies"][name]
            answers[name] = self.server.check(cookies={name: value})
        return answers


def listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def local_time(moment: float, form: str) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).astimezone().strftime(form)


if __name__ == "__main__":
    sys.exit(main())
