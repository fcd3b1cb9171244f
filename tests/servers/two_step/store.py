"""Who is there: accounts, their sessions from the password on, and what each is asked for."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from tests.servers.fixture import StandIn
from tests.servers.front import settings, store
from tests.servers.front.store import User

from . import totp

TRIES = 3


@dataclass
class Settings(settings.Settings):
    # How long a code is waited for.
    patience: float = 300
    token_lifetime: float = 3600


@dataclass
class Session:
    id: str
    email: str
    # "app" or "mail" until the code has come, then "".
    asks: str
    asked_at: float
    # The code that was mailed; empty where the app has it.
    mailed: str = ""
    alive: bool = True
    wrong: int = 0
    ticket: str = ""
    token: str = ""
    tokens: list[str] = field(default_factory=list)
    expires_at: float = 0


class Store(store.Store[User, Session]):
    settings: Settings
    # The last step of time whose code was used, by account; a code serves once.
    used: dict[str, int]

    def __init__(self, *given: object) -> None:
        self.used = {}
        super().__init__(*given)  # type: ignore[arg-type]

    def begin(self, email: str) -> Session:
        asks = "app" if email == StandIn.VIEWER[0] else "mail"
        mailed = "" if asks == "app" else f"{secrets.randbelow(10**6):06d}"
        session = Session(secrets.token_hex(8), email, asks, self.now(), mailed)
        session.ticket = secrets.token_hex(8)
        self.sessions[session.id] = session
        self.save()
        return session

    def take_code(self, session: Session, code: str) -> str:
        """What comes of it: "right", "wrong" or "late"."""
        if not session.alive or self.now() - session.asked_at > self.settings.patience:
            self.end(session, "lateness")
            return "late"
        if self._is_right(session, code):
            session.asks = session.mailed = session.ticket = ""
            session.token = secrets.token_hex(16)
            session.tokens.append(session.token)
            session.expires_at = self.now() + self.settings.token_lifetime
            self.save()
            return "right"
        session.wrong += 1
        session.ticket = secrets.token_hex(8)
        if session.wrong == TRIES:
            self.end(session, "three wrong codes")
        self.save()
        return "wrong"

    def _is_right(self, session: Session, code: str) -> bool:
        if session.asks == "mail":
            return hmac.compare_digest(code.encode(), session.mailed.encode())
        of = totp.step_of(code, self.now())
        if of is None or of <= self.used.get(session.email, -1):
            return False
        self.used[session.email] = of
        return True

    def end(self, session: Session, by: str) -> None:
        session.alive = False
        self.save()

    def forget_sessions(self) -> None:
        self.used.clear()
        super().forget_sessions()

    def of_cookie(self, cookies: dict[str, str]) -> Session | None:
        return self.sessions.get(cookies.get("sid", ""))

    def of_token(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.tokens), None)

    def of_ticket(self, ticket: str) -> Session | None:
        of = (one for one in self.sessions.values() if ticket and one.ticket == ticket)
        return next(of, None)

    def accepted(self, token: str | None) -> Session | None:
        session = self.of_token(token)
        is_good = session and session.alive and session.expires_at > self.now()
        return session if is_good else None
