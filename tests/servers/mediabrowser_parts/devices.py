"""Users, and devices with a token each: what both servers keep on disk.

A login is a row with user, device and token. What a second login with one device does is the
server's own; both call begin().
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from tests.servers.front import store

from .header import Identity

# Seconds.
_NOTED_EVERY = 180


@dataclass
class User(store.User):
    # Wrong passwords in a row, and what came of them.
    failures: int = 0
    disabled: bool = False

    @staticmethod
    def new_id() -> str:
        return uuid.uuid4().hex


@dataclass
class Session:
    id: str
    email: str
    token: str
    device_id: str
    device: str
    client: str
    version: str
    seen_at: float
    alive: bool = True
    ended_by: str = ""


SHOWN = ("id", "email", "alive", "ended_by", "device_id", "device", "client", "version")


class Store(store.Store[User, Session]):
    @property
    def server_id(self) -> str:
        return hashlib.sha256(self._key).hexdigest()[:32]

    def user_named(self, name: str) -> User | None:
        """Names are not told apart by case."""
        wanted = name.casefold()
        return next((one for one in self.users.values() if one.email.casefold() == wanted), None)

    def begin(self, user: User, by: Identity) -> Session:
        session = Session(
            uuid.uuid4().hex,
            user.email,
            uuid.uuid4().hex,
            by.device_id,
            by.device,
            by.client,
            by.version,
            self.now(),
        )
        self.sessions[session.id] = session
        self.save()
        return session

    def hear(self, session: Session, by: Identity) -> None:
        """What a request with a token says of its device is kept."""
        told = (by.device or session.device, by.version or session.version)
        recent = self.now() - session.seen_at <= _NOTED_EVERY
        if recent and told == (session.device, session.version):
            return
        session.device, session.version = told
        session.seen_at = self.now()
        self.save()

    def end(self, session: Session, by: str) -> None:
        session.alive, session.ended_by = False, session.ended_by or by
        self.save()

    def on_device(self, device_id: str) -> list[Session]:
        found = self.sessions.values()
        return [one for one in found if one.alive and one.device_id == device_id]

    def of_token(self, token: Any) -> Session | None:
        return next((one for one in self.sessions.values() if one.token == token), None)

    def accepted(self, token: Any) -> Session | None:
        """The session of a token that is good now."""
        session = self.of_token(token)
        if session is None or not session.alive or self.users[session.email].disabled:
            return None
        return session

    def forget_sessions(self) -> None:
        for user in self.users.values():
            user.failures, user.disabled = 0, False
        super().forget_sessions()
