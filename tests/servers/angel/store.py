"""Users, sessions and the deny-list, and the state file that keeps them over a restart.

A session is accepted by what this file remembers, not by what a token claims. Passwords are kept
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

from . import cookies as names
from . import tokens
from .settings import Settings


@dataclass
class User:
    id: str
    email: str
    name: str
    salt: str
    hash: str


@dataclass
class Session:
    id: str
    user_id: str
    email: str
    alive: bool = True
    # jti -> exp, every JWT this session ever had.
    jwts: dict[str, float] = field(default_factory=dict)
    # Values of the other cookies, and when each stops being accepted.
    session_values: dict[str, float] = field(default_factory=dict)
    phoenix_values: dict[str, float] = field(default_factory=dict)
    remember_values: dict[str, float] = field(default_factory=dict)
    jwt_expires_at: float = 0
    logins: int = 0
    renewals: int = 0
    logouts: int = 0


class Store:
    """Everything that outlives a request. Each change is in the file before it is answered."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "state.json"
        self.settings = Settings()
        self.users: dict[str, User] = {}
        self.sessions: dict[str, Session] = {}
        self.denied: dict[str, float] = {}
        self._key = secrets.token_bytes(64)
        if self._file.exists():
            self._load()
        else:
            self.add_user("viewer@example.com", "correct horse", name="Viewer")
            self.add_user("zoë.ünïcode@例え.jp", "пароль-密码-🔑", name="例え")

    def now(self) -> float:
        return time.time() + self.settings.clock_offset

    # Users

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> User:
        """Add an account, or replace the one with this e-mail address."""
        salt = secrets.token_hex(8)
        user_id = id or f"{secrets.randbelow(10**8):08d}"
        user = User(
            user_id, email, name or email.split("@", maxsplit=1)[0], salt, _hash(password, salt)
        )
        self.users[email] = user
        self.save()
        return user

    def check_password(self, email: str, password: str) -> User | None:
        user = self.users.get(email)
        wanted = user.hash if user else ""
        given = _hash(password, user.salt if user else "00")
        return user if hmac.compare_digest(wanted, given) else None

    # Sessions

    def begin(self, user: User) -> Session:
        session = Session(id="s" + secrets.token_hex(4), user_id=user.id, email=user.email)
        self.sessions[session.id] = session
        return session

    def issue(self, session: Session, *, renewal: bool) -> list[str]:
        """New credentials for a session, as Set-Cookie lines."""
        settings, now = self.settings, self.now()
        jwt = self._new_jwt(session, now)
        lines = [names.setting(names.JWT, jwt, settings.jwt_lifetime, now)]
        for name, values, value, lifetime in (
            (names.SESSION, session.session_values, tokens.sealed_value(), settings.jwt_lifetime),
            (names.PHOENIX, session.phoenix_values, tokens.phoenix_value(), settings.jwt_lifetime),
        ):
            values[value] = now + lifetime
            lines.append(names.setting(name, value, lifetime, now))
        if not renewal:
            remember = tokens.phoenix_value()
            session.remember_values = {remember: now + settings.remember_lifetime}
            lines.append(names.setting(names.REMEMBER, remember, settings.remember_lifetime, now))
        session.renewals += renewal
        session.logins += not renewal
        self.save()
        return lines

    def end(self, session: Session, *, by_logout: bool) -> None:
        session.alive = False
        session.logouts += by_logout
        self.denied.update(session.jwts)
        self.save()

    def forget_sessions(self) -> None:
        self.sessions.clear()
        self.denied.clear()
        self.save()

    # Recognising a session

    def accepted(self, cookies: dict[str, str], bearer: str | None = None) -> Session | None:
        """The live session that these credentials open, if any; a bearer token rules alone."""
        now = self.now()
        if bearer is not None:
            return self._by_jwt(bearer, now)
        for name in ("angel_jwt_v2", "angel_jwt"):
            session = self._by_jwt(cookies.get(name, ""), now)
            if session:
                return session
        for session in self.sessions.values():
            values = {**session.session_values, **session.phoenix_values}
            given = (cookies.get(names.SESSION), cookies.get(names.PHOENIX))
            if session.alive and any(values.get(v or "", 0) > now for v in given):
                return session
        return self.remembered(cookies)

    def remembered(self, cookies: dict[str, str]) -> Session | None:
        """The live session of a remember-me cookie."""
        value, now = cookies.get(names.REMEMBER, ""), self.now()
        for session in self.sessions.values():
            if session.alive and session.remember_values.get(value, 0) > now:
                return session
        return None

    def traced(self, cookies: dict[str, str], bearer: str | None = None) -> Session | None:
        """The session these credentials ever belonged to, dead or alive: for the journal."""
        for token in (bearer, cookies.get("angel_jwt_v2"), cookies.get("angel_jwt")):
            session, _ = self._of_jwt(token or "")
            if session:
                return session
        for session in self.sessions.values():
            if (
                cookies.get(names.SESSION, "") in session.session_values
                or cookies.get(names.PHOENIX, "") in session.phoenix_values
                or cookies.get(names.REMEMBER, "") in session.remember_values
            ):
                return session
        return None

    def _by_jwt(self, token: str, now: float) -> Session | None:
        session, key = self._of_jwt(token)
        if session is None or not session.alive or key in self.denied:
            return None
        return session if session.jwts[key] > now else None

    def _of_jwt(self, token: str) -> tuple[Session | None, str]:
        """The session of a JWT and its key in `jwts`, whether or not they still hold."""
        claims = tokens.decode_jwt(token, self._key) if token.count(".") == 2 else None
        key = str(claims.get("jti")) if claims else token
        for session in reversed(self.sessions.values()):
            if key in session.jwts:
                return session, key
        return None, key

    def _new_jwt(self, session: Session, now: float) -> str:
        jti = secrets.token_hex(16)
        expires = int(now + self.settings.jwt_lifetime)
        session.jwts[jti] = expires
        session.jwt_expires_at = expires
        claims: dict[str, Any] = {
            "sub": session.user_id,
            "user_id": session.user_id,
            "email": session.email,
            "scope": "openid profile email",
            "iat": int(now),
            "exp": expires,
            "jti": jti,
        }
        return tokens.encode_jwt(claims, self._key)

    # The file

    def save(self) -> None:
        state = {
            "key": self._key.hex(),
            "users": [asdict(user) for user in self.users.values()],
            "sessions": [asdict(session) for session in self.sessions.values()],
            "denied": self.denied,
        }
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        os.replace(new, self._file)

    def _load(self) -> None:
        state = json.loads(self._file.read_text(encoding="utf-8"))
        self._key = bytes.fromhex(state["key"])
        self.users = {user["email"]: User(**user) for user in state["users"]}
        self.sessions = {one["id"]: Session(**one) for one in state["sessions"]}
        self.denied = state["denied"]


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(
        password.encode(), salt=bytes.fromhex(salt), n=256, r=8, p=1, dklen=32
    ).hex()
