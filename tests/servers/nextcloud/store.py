"""Login flows that were begun, and app passwords."""

from __future__ import annotations

import secrets
import string
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.front import store
from tests.servers.front.store import User

from .settings import Settings

_HALF_AN_HOUR = 1800


@dataclass
class Flow:
    poll_token: str
    login_token: str
    client: str
    expires_at: float
    # Filled when the user allowed it.
    server: str = ""
    session: str = ""


@dataclass
class Session:
    """An app password, named as the program that asked for it."""

    id: str
    email: str
    name: str
    passwords: list[str] = field(default_factory=list)
    alive: bool = True
    ended_by: str = ""
    collected: bool = False


class Store(store.Store[User, Session]):
    def __init__(self, directory: Path, settings: Settings) -> None:
        self.flows: dict[str, Flow] = {}
        self.failures: list[float] = []
        self.options = settings
        super().__init__(directory / "state.json", settings, Session, User)

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        self.flows = {one["poll_token"]: Flow(**one) for one in state["flows"]}
        self.failures = state["failures"]

    def save(self, **more: Any) -> None:
        flows = [asdict(one) for one in self.flows.values()]
        super().save(flows=flows, failures=self.failures, **more)

    def forget_sessions(self) -> None:
        self.flows.clear()
        self.failures.clear()
        super().forget_sessions()

    # Flows

    def begin(self, client: str, server: str) -> Flow:
        until = self.now() + self.options.flow_lifetime
        flow = Flow(_chance(128), _chance(128), client, until, server)
        self.flows[flow.poll_token] = flow
        self.save()
        return flow

    def landed(self, login_token: str) -> Flow | None:
        """The flow of an address that the viewer opened, if it may still be used."""
        for flow in self.flows.values():
            if flow.login_token == login_token and flow.expires_at >= self.now():
                return flow
        return None

    def collect(self, poll_token: str) -> tuple[Flow, Session] | None:
        """Once."""
        flow = self.flows.get(poll_token)
        if flow is None or not flow.session or flow.expires_at < self.now():
            return None
        del self.flows[poll_token]
        session = self.sessions[flow.session]
        session.collected = True
        self.save()
        return flow, session

    def allow(self, flow: Flow, user: User) -> None:
        flow.session = self.new_password(user, flow.client).id
        self.save()

    # App passwords

    def new_password(self, user: User, name: str) -> Session:
        session = Session(secrets.token_hex(8), user.email, name, [_chance(72)])
        self.sessions[session.id] = session
        self.save()
        return session

    def rotate(self, session: Session) -> None:
        session.passwords.append(_chance(72))
        self.save()

    def end(self, session: Session, by: str) -> None:
        session.alive, session.ended_by = False, by
        self.save()

    def of_password(self, password: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if password in one.passwords), None)

    def live(self, password: str | None) -> Session | None:
        session = self.of_password(password)
        holds = session and session.alive and session.passwords[-1] == password
        return session if holds else None

    def accepted(self, password: str | None) -> Session | None:
        """A device that is to be wiped is let in no more."""
        return None if self.options.wipe else self.live(password)

    # Brute force

    def is_blocked(self) -> bool:
        recent = [at for at in self.failures if at > self.now() - _HALF_AN_HOUR]
        return len(recent) > self.options.attempts

    def count(self, *, failed: bool) -> None:
        self.failures = [*self.failures, self.now()] if failed else []
        self.save()


def _chance(size: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(size))
