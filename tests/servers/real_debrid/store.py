"""Device codes, and what users granted for them: credentials of a client, tokens."""

from __future__ import annotations

import base64
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.front import store
from tests.servers.front.store import User

from .settings import Settings


@dataclass
class Code:
    device_code: str
    user_code: str
    expires_at: float
    # Asked for with new_credentials=yes; only then there will be some.
    new_credentials: bool
    # Of the user who allowed it.
    email: str = ""
    denied: bool = False
    client_id: str = ""
    client_secret: str = ""


@dataclass
class Session:
    """What a user granted to one installation. It ends when the user takes it back."""

    id: str
    email: str
    client_id: str
    client_secret: str
    refresh_tokens: list[str]
    # Access tokens and when they expire; 0: disabled.
    tokens: dict[str, float] = field(default_factory=dict)
    alive: bool = True
    ended_by: str = ""
    renewals: int = 0
    disabled: int = 0


class Store(store.Store[User, Session]):
    def __init__(self, directory: Path, settings: Settings) -> None:
        self.codes: dict[str, Code] = {}
        self.options = settings
        super().__init__(directory / "state.json", settings, Session, User)

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        self.codes = {one["device_code"]: Code(**one) for one in state["codes"]}

    def save(self, **more: Any) -> None:
        super().save(codes=[asdict(one) for one in self.codes.values()], **more)

    def forget_sessions(self) -> None:
        self.codes.clear()
        super().forget_sessions()

    # Codes

    def new_code(self, *, new_credentials: bool) -> Code:
        user_code = _letters(5)
        until = self.now() + self.options.code_lifetime
        code = Code(_letters(33)[:52], user_code, until, new_credentials)
        self.codes[code.device_code] = code
        self.save()
        return code

    def decide(self, user_code: str, email: str | None) -> None:
        """Allow it for this user, or deny it. Raises ValueError for a code that is not open."""
        for code in self.codes.values():
            is_open = not (code.email or code.denied) and code.expires_at > self.now()
            if code.user_code == user_code and is_open:
                code.denied, code.email = email is None, email or ""
                if email and code.new_credentials:
                    code.client_id, code.client_secret = _letters(8), secrets.token_hex(20)
                self.save()
                return
        raise ValueError(f"no open code {user_code!r}")

    # Grants

    def begin(self, code: Code) -> Session:
        """A code serves once."""
        del self.codes[code.device_code]
        session = Session(secrets.token_hex(8), code.email, code.client_id, code.client_secret, [])
        self.sessions[session.id] = session
        session.refresh_tokens.append(_letters(33)[:52])
        return session

    def issue(self, session: Session) -> str:
        token = _letters(33)[:52]
        session.tokens[token] = self.now() + self.options.token_lifetime
        self.save()
        return token

    def renew(self, session: Session) -> str:
        session.renewals += 1
        if self.options.rotates:
            session.refresh_tokens.append(_letters(33)[:52])
        return self.issue(session)

    def disable(self, token: str) -> None:
        session = self.of_token(token)
        if session:
            session.tokens[token] = 0
            session.disabled += 1
            if self.options.disable_ends_grant:
                self.end(session, "disable_access_token")
            self.save()

    def end(self, session: Session, by: str) -> None:
        session.alive, session.ended_by = False, by
        self.save()

    def of_token(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.tokens), None)

    def of_refresh(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.refresh_tokens), None)

    def accepted(self, token: str | None) -> Session | None:
        session = self.of_token(token)
        holds = session and session.alive and session.tokens[token or ""] > self.now()
        return session if holds else None

    def renewable(self, token: str | None) -> Session | None:
        session = self.of_refresh(token)
        return (
            session if session and session.alive and session.refresh_tokens[-1] == token else None
        )


def _letters(size: int) -> str:
    """Chance in base 32, as its codes and tokens look."""
    return base64.b32encode(secrets.token_bytes(size)).decode().rstrip("=")
