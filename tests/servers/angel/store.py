"""Sessions and the deny-list, and how a session is recognised."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.front import store
from tests.servers.front.store import User

from . import cookies as names
from . import tokens
from .settings import Settings


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


class Store(store.Store[User, Session]):
    settings: Settings
    algorithm = "HS512"

    def __init__(self, directory: Path) -> None:
        self.denied: dict[str, float] = {}
        super().__init__(directory / "state.json", Settings(), Session, User)

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        self.denied = state["denied"]

    def save(self, **more: Any) -> None:
        super().save(denied=self.denied, **more)

    # Sessions

    def begin(self, user: User) -> Session:
        session = Session(id="s" + secrets.token_hex(4), user_id=user.id, email=user.email)
        self.sessions[session.id] = session
        return session

    def issue(self, session: Session, *, renewal: bool) -> list[str]:
        """New credentials for a session, as Set-Cookie lines."""
        settings, now = self.settings, self.now()
        lines = []
        if not (settings.renew_without_jwt if renewal else settings.login_without_jwt):
            jwt = self._new_jwt(session, now)
            lines.append(names.setting(settings.jwt_cookie_name, jwt, settings.jwt_lifetime, now))
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

    def end(self, session: Session, by: str) -> None:
        session.alive = False
        session.logouts += by == "logout"
        self.denied.update(session.jwts)
        self.save()

    def forget_sessions(self) -> None:
        self.denied.clear()
        super().forget_sessions()

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
        claims = self.signed(token)
        # A text from the setting `jwt_text` stands for itself; several sessions may have it.
        key = str(claims.get("jti")) if claims else token
        for session in reversed(self.sessions.values()):
            if key in session.jwts:
                return session, key
        return None, key

    def _new_jwt(self, session: Session, now: float) -> str:
        jti = self.settings.jwt_text or secrets.token_hex(16)
        expires = int(now + self.settings.jwt_lifetime)
        session.jwts[jti] = expires
        session.jwt_expires_at = expires
        if self.settings.jwt_text:
            self.denied.pop(jti, None)
            return jti
        claims: dict[str, Any] = {
            "sub": session.user_id,
            "user_id": session.user_id,
            "email": session.email,
            "scope": "openid profile email",
            "iat": int(now),
            "exp": expires,
            "jti": jti,
        }
        for name, value in self.settings.jwt_claims.items():
            if value is None:
                claims.pop(name, None)
            else:
                claims[name] = value
        return self.sign(claims)
