"""What WorkOS remembers: users, sessions with their refresh tokens, devices that wait for a user.

A session lives until it is ended or until its newest refresh token has run out. Passwords are kept
as scrypt hashes with a small cost (this is a test server) and compared as UTF-8, not normalised.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

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
class User:
    id: str
    email: str
    name: str
    salt: str
    hash: str
    created_at: float
    last_sign_in_at: float | None = None


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


class Store:
    """Everything that outlives a request. Each change is in the file before it is answered."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._file = directory / "workos.json"
        self._key = tokens.SigningKey(directory / "signing_key.pem")
        self.settings = settings
        self.users: dict[str, User] = {}
        self.sessions: dict[str, Session] = {}
        # By device code.
        self.devices: dict[str, Device] = {}
        if self._file.exists():
            self._load()
        else:
            self.add_user("viewer@example.com", "correct horse", name="Viewer")
            self.add_user("zoë.ünïcode@例え.jp", "пароль-密码-🔑", name="例え")

    def now(self) -> float:
        return time.time() + self.settings.clock_offset

    def key_set(self) -> dict[str, Any]:
        return self._key.key_set()

    # Users

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> User:
        """Add an account, or replace the one with this e-mail address."""
        salt = secrets.token_hex(8)
        shown = name or email.partition("@")[0]
        hashed = _hash(password, salt)
        user = User(id or tokens.new_id("user"), email, shown, salt, hashed, self.now())
        self.users[email] = user
        self.save()
        return user

    def check_password(self, email: str, password: str) -> User | None:
        user = self.users.get(email)
        wanted = user.hash if user else ""
        given = _hash(password, user.salt if user else "00")
        return user if hmac.compare_digest(wanted, given) else None

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
        self.sessions.clear()
        self.devices.clear()
        self.save()

    # Recognising a session, dead or alive

    def session_of_access(self, token: str) -> Session | None:
        claims = self._key.claims(token) if token.count(".") == 2 else None
        return self.sessions.get(claims["sid"]) if claims else None

    def session_of_refresh(self, token: str) -> Session | None:
        return next((s for s in self.sessions.values() if token in s.refresh_tokens), None)

    # Whether a credential would be accepted; nothing changes by asking

    def accepts_access(self, token: str) -> bool:
        """As the application does: by the token and by the session."""
        session, claims = self.session_of_access(token), self._key.claims(token)
        if session is None or claims is None or claims["exp"] <= self.now():
            return False
        return self.lives(session)

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
        return self._key.sign(claims), refresh

    def _note_reuse(self, session: Session) -> None:
        session.reuses += 1
        if self.settings.reuse_ends_session:
            self.end(session, "reuse")
        self.save()

    # The file

    def save(self) -> None:
        state = {
            "users": [asdict(user) for user in self.users.values()],
            "sessions": [asdict(session) for session in self.sessions.values()],
            "devices": [asdict(device) for device in self.devices.values()],
        }
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        os.replace(new, self._file)

    def _load(self) -> None:
        state = json.loads(self._file.read_text(encoding="utf-8"))
        self.users = {user["email"]: User(**user) for user in state["users"]}
        for one in state["sessions"]:
            known = {token: RefreshToken(**r) for token, r in one.pop("refresh_tokens").items()}
            self.sessions[one["id"]] = Session(**one, refresh_tokens=known)
        self.devices = {one["device_code"]: Device(**one) for one in state["devices"]}


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(
        password.encode(), salt=bytes.fromhex(salt), n=256, r=8, p=1, dklen=32
    ).hex()
