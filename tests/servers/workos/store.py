"""What WorkOS remembers: users, sessions with their refresh tokens, devices that wait for a user.

A session lives until it is ended or until its newest refresh token has run out.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.front import store

from . import tokens
from .settings import Settings

ISSUER = "https://api.workos.com"


class Refused(Exception):
    """An OAuth error: its code, and words that nobody should depend on."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error)
        self.error = error
        self.description = description or f"The request failed due to: {error}."


@dataclass
class User(store.User):
    created_at: float = field(default_factory=time.time)
    last_sign_in_at: float | None = None

    @staticmethod
    def new_id() -> str:
        return tokens.new_id("user")


@dataclass
class RefreshToken:
    expires_at: float
    # When it was exchanged, and for what: for the grace period of a reuse.
    exchanged_at: float | None = None
    answer: list[str] = field(default_factory=list)


@dataclass
class Session:
    id: str
    user_id: str
    email: str
    created_at: float
    user_agent: str | None = None
    ended_at: float | None = None
    # "logout", "revoked" or "reuse".
    ended_by: str = ""
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    access_expires_at: float = 0
    expires_at: float = 0
    renewals: int = 0
    # Requests to log it out, those after its end too; refresh tokens that came a second time.
    logouts: int = 0
    reuses: int = 0


@dataclass
class Device:
    """A device that asked for codes; devices.py says what becomes of it."""

    device_code: str
    user_code: str
    expires_at: float
    interval: float
    polled_at: float = 0
    slow_downs: int = 0
    # "pending", "approved", "denied" or "used".
    state: str = "pending"
    email: str = ""


class Store(store.Store[User, Session]):
    settings: Settings

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._signing = tokens.SigningKey(directory / "signing_key.pem")
        # By device code.
        self.devices: dict[str, Device] = {}
        super().__init__(directory / "workos.json", settings, Session, User)

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        for session in self.sessions.values():
            known: dict[str, Any] = session.refresh_tokens
            session.refresh_tokens = {token: RefreshToken(**one) for token, one in known.items()}
        self.devices = {one["device_code"]: Device(**one) for one in state["devices"]}

    def save(self, **more: Any) -> None:
        devices = [asdict(device) for device in self.devices.values()]
        super().save(devices=devices, **more)

    def sign(self, claims: dict[str, Any]) -> str:
        return self._signing.sign(claims)

    def signed(self, token: str) -> dict[str, Any]:
        return self._signing.claims(token) or {}

    def key_set(self) -> dict[str, Any]:
        return self._signing.key_set()

    def user(self, id: str) -> User | None:
        return next((user for user in self.users.values() if user.id == id), None)

    # Sessions

    def begin(self, user: User, user_agent: str | None) -> tuple[str, str]:
        """A new session's access and refresh token."""
        now = self.now()
        session = Session(tokens.new_id("session"), user.id, user.email, now, user_agent)
        self.sessions[session.id] = session
        user.last_sign_in_at = now
        return self._issue(session)

    def renew(self, token: str) -> tuple[User, str, str]:
        """Exchange a refresh token. Raises Refused; reuse may end the session."""
        session = self.session_of_refresh(token)
        if session is None:
            raise Refused("invalid_grant", "Invalid refresh token.")
        known, now = session.refresh_tokens[token], self.now()
        if session.ended_at is not None:
            raise Refused("invalid_grant", "Session has already ended.")
        if known.exchanged_at is not None:
            if now - known.exchanged_at >= self.settings.reuse_grace:
                self._note_reuse(session)
                raise Refused("invalid_grant", "Refresh token already exchanged.")
            access, refresh = known.answer
        elif known.expires_at <= now:
            raise Refused("invalid_grant", "Refresh token has expired.")
        else:
            session.renewals += 1
            known.exchanged_at = now
            access, refresh = self._issue(session)
            known.answer = [access, refresh]
            self.save()
        user = self.user(session.user_id)
        if user is None:
            raise Refused("invalid_grant", "User not found.")
        return user, access, refresh

    def lives(self, session: Session) -> bool:
        return session.ended_at is None and session.expires_at > self.now()

    def end(self, session: Session, by: str) -> None:
        """For good; what ended it first counts."""
        session.logouts += by == "logout"
        if session.ended_at is None:
            session.ended_at, session.ended_by = self.now(), by
        self.save()

    def forget_sessions(self) -> None:
        self.devices.clear()
        super().forget_sessions()

    # Recognising a session, dead or alive

    def session_of_access(self, token: str) -> Session | None:
        return self.sessions.get(self.signed(token).get("sid", ""))

    def session_of_refresh(self, token: str) -> Session | None:
        return next((s for s in self.sessions.values() if token in s.refresh_tokens), None)

    # Whether a credential would be accepted; nothing changes by asking

    def accepts_access(self, token: str) -> bool:
        """As the application does: by the token alone, or by the session as well."""
        session = self.session_of_access(token)
        if session is None or self.signed(token)["exp"] <= self.now():
            return False
        return self.lives(session) or not self.settings.check_sessions

    def accepts_refresh(self, token: str) -> bool:
        session = self.session_of_refresh(token)
        if session is None or session.ended_at is not None:
            return False
        known, now = session.refresh_tokens[token], self.now()
        if known.exchanged_at is not None:
            return now - known.exchanged_at < self.settings.reuse_grace
        return known.expires_at > now

    def _issue(self, session: Session) -> tuple[str, str]:
        now = self.now()
        session.access_expires_at = int(now + self.settings.access_lifetime)
        session.expires_at = now + self.settings.refresh_lifetime
        claims = {
            "iss": ISSUER,
            "sub": session.user_id,
            "sid": session.id,
            "jti": tokens.new_id("")[1:],
            "exp": session.access_expires_at,
            "iat": int(now),
        }
        refresh = tokens.opaque(25)
        session.refresh_tokens[refresh] = RefreshToken(session.expires_at)
        self.save()
        return self.sign(claims), refresh

    def _note_reuse(self, session: Session) -> None:
        session.reuses += 1
        if self.settings.reuse_ends_session:
            self.end(session, "reuse")
        self.save()
