"""The auth API's people and their sessions, and the file that keeps them over a restart.

A session is accepted by what this file remembers, not by what a token claims. Refresh tokens serve
once: one that was used before ends its session (RFC 9700, section 4.14.2). Of refresh tokens only
digests are kept; passwords are scrypt hashes with a small cost (this is a test server).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import tokens
from .settings import Settings


@dataclass
class Person:
    id: str
    email: str
    name: str
    salt: str
    hash: str

    def shown(self) -> dict[str, str]:
        return {"id": self.id, "email": self.email, "name": self.name}


@dataclass
class Session:
    id: str
    person_id: str
    email: str
    alive: bool = True
    # "logout", "reuse" of a refresh token, or "somebody else".
    ended_by: str = ""
    # jti -> exp of the access tokens that are still accepted.
    access: dict[str, float] = field(default_factory=dict)
    access_expires_at: float = 0
    # Digests: of the refresh token that serves next, and of those that have served.
    refresh: str = ""
    refresh_expires_at: float = 0
    used: list[str] = field(default_factory=list)
    logins: int = 0
    renewals: int = 0
    logouts: int = 0
    # Names of the cookies that the storefront forwarded with the last logout.
    logout_cookies: list[str] = field(default_factory=list)


@dataclass
class Issued:
    access: str
    refresh: str


class Accounts:
    """Each change is in the file before it is answered."""

    def __init__(self, directory: Path, settings: Settings, now: Callable[[], float]) -> None:
        self._file = directory / "auth.json"
        self._settings = settings
        self._now = now
        self._key = secrets.token_bytes(32)
        self.people: dict[str, Person] = {}
        self.sessions: dict[str, Session] = {}
        if self._file.exists():
            self._load()
        else:
            self.add_person("viewer@example.com", "correct horse", name="Viewer")
            self.add_person("zoë.ünïcode@例え.jp", "пароль-密码-🔑", name="例え")

    # People

    def add_person(self, email: str, password: str, id: str = "", name: str = "") -> Person:
        """Add an account, or replace the one with this e-mail address."""
        salt = secrets.token_hex(8)
        shown = name or email.split("@", maxsplit=1)[0]
        key = id or f"{secrets.randbelow(10**7):07d}"
        self.people[email] = Person(key, email, shown, salt, _hash(password, salt))
        self.save()
        return self.people[email]

    def check_password(self, email: str, password: str) -> Person | None:
        person = self.people.get(email)
        wanted = person.hash if person else ""
        given = _hash(password, person.salt if person else "00")
        return person if hmac.compare_digest(wanted, given) else None

    # Sessions

    def begin(self, person: Person) -> tuple[Session, Issued]:
        session = Session(id="lx" + secrets.token_hex(4), person_id=person.id, email=person.email)
        self.sessions[session.id] = session
        session.logins = 1
        return session, self._issue(session)

    def renew(self, refresh: str) -> Issued | None:
        """New tokens for a refresh token; None when it does not serve, and why is ours alone."""
        session = self.of_refresh(refresh)
        if session is None or not session.alive or session.refresh_expires_at <= self._now():
            return None
        given = tokens.digest(refresh)
        if given != session.refresh:
            self.end(session, "reuse")
            return None
        session.used.append(given)
        session.renewals += 1
        return self._issue(session)

    def end(self, session: Session, by: str) -> None:
        session.alive = False
        session.ended_by = by
        session.access.clear()
        session.logouts += by == "logout"
        self.save()

    def forget_access(self, session: Session) -> None:
        """Half a logout: the access tokens die, the refresh token lives."""
        session.access.clear()
        session.logouts += 1
        self.save()

    def forget_sessions(self) -> None:
        self.sessions.clear()
        self.save()

    # Recognising a session

    def by_access(self, token: str) -> Session | None:
        """The live session of an access token that is accepted now."""
        session, claims = self._of_access(token)
        if session is None or not session.alive:
            return None
        return session if session.access.get(claims["jti"], 0) > self._now() else None

    def by_refresh(self, token: str) -> Session | None:
        """The live session whose next refresh token this is."""
        session = self.of_refresh(token)
        if session is None or not session.alive or session.refresh != tokens.digest(token):
            return None
        return session if session.refresh_expires_at > self._now() else None

    def of_refresh(self, token: str) -> Session | None:
        """The session that ever had this refresh token."""
        given = tokens.digest(token)
        for session in self.sessions.values():
            if given == session.refresh or given in session.used:
                return session
        return None

    def of_access(self, token: str) -> Session | None:
        """The session that ever had this access token."""
        return self._of_access(token)[0]

    def _of_access(self, token: str) -> tuple[Session | None, dict[str, Any]]:
        claims = tokens.decode_jwt(token, self._key) if token.count(".") == 2 else None
        return self.sessions.get((claims or {}).get("sid", "")), claims or {}

    def _issue(self, session: Session) -> Issued:
        now, settings = self._now(), self._settings
        jti, refresh = secrets.token_hex(12), tokens.refresh_token()
        expires = int(now + settings.access_lifetime)
        session.access[jti] = session.access_expires_at = expires
        session.refresh = tokens.digest(refresh)
        session.refresh_expires_at = now + settings.refresh_lifetime
        self.save()
        claims = {
            "sub": session.person_id,
            "email": session.email,
            "sid": session.id,
            "jti": jti,
            "iat": int(now),
            "exp": expires,
        }
        return Issued(tokens.encode_jwt(claims, self._key), refresh)

    # The file

    def save(self) -> None:
        state = {
            "key": self._key.hex(),
            "people": [asdict(person) for person in self.people.values()],
            "sessions": [asdict(session) for session in self.sessions.values()],
        }
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        os.replace(new, self._file)

    def _load(self) -> None:
        state = json.loads(self._file.read_text(encoding="utf-8"))
        self._key = bytes.fromhex(state["key"])
        self.people = {one["email"]: Person(**one) for one in state["people"]}
        self.sessions = {one["id"]: Session(**one) for one in state["sessions"]}


def _hash(password: str, salt: str) -> str:
    return hashlib.scrypt(
        password.encode(), salt=bytes.fromhex(salt), n=256, r=8, p=1, dklen=32
    ).hex()
