"""The auth API's people and their sessions.

Refresh tokens serve once: one that was used before ends its session (RFC 9700, section 4.14.2). Of
refresh tokens only digests are kept.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.front import store
from tests.servers.front.store import User

from .settings import Settings


@dataclass
class Session:
    id: str
    email: str
    person_id: str
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


class Accounts(store.Store[User, Session]):
    settings: Settings

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "auth.json", Settings(), Session, User)

    # Sessions

    def begin(self, person: User) -> Issued:
        session = Session("lx" + secrets.token_hex(4), person.email, person.id, logins=1)
        self.sessions[session.id] = session
        return self._issue(session)

    def renew(self, refresh: str) -> Issued | None:
        """New tokens for a refresh token; None when it does not serve, and why is ours alone."""
        session = self.of_refresh(refresh)
        if session is None or not session.alive or session.refresh_expires_at <= self.now():
            return None
        given = _digest(refresh)
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

    # Recognising a session

    def by_access(self, token: str) -> Session | None:
        """The live session of an access token that is accepted now."""
        session, claims = self._of_access(token)
        if session is None or not session.alive:
            return None
        return session if session.access.get(claims["jti"], 0) > self.now() else None

    def by_refresh(self, token: str) -> Session | None:
        """The live session whose next refresh token this is."""
        session = self.of_refresh(token)
        if session is None or not session.alive or session.refresh != _digest(token):
            return None
        return session if session.refresh_expires_at > self.now() else None

    def of_refresh(self, token: str) -> Session | None:
        """The session that ever had this refresh token."""
        given = _digest(token)
        for session in self.sessions.values():
            if given == session.refresh or given in session.used:
                return session
        return None

    def of_access(self, token: str) -> Session | None:
        """The session that ever had this access token."""
        return self._of_access(token)[0]

    def _of_access(self, token: str) -> tuple[Session | None, dict[str, Any]]:
        claims = self.signed(token)
        return self.sessions.get(claims.get("sid", "")), claims

    def _issue(self, session: Session) -> Issued:
        now, settings = self.now(), self.settings
        jti, refresh = secrets.token_hex(12), "lxr_" + secrets.token_urlsafe(48)
        expires = int(now + settings.access_lifetime)
        session.access[jti] = session.access_expires_at = expires
        session.refresh = _digest(refresh)
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
        return Issued(self.sign(claims), refresh)


def _digest(token: str) -> str:
    """What the server keeps of a refresh token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
