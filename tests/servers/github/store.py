"""Device codes, and the tokens that users granted for them."""

from __future__ import annotations

import secrets
import string
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
    scope: str
    expires_at: float
    interval: float
    polled_at: float = 0
    email: str = ""
    denied: bool = False


@dataclass
class Session:
    """One sign-in: the newest pair of tokens, and those before it. 0 means: does not expire."""

    id: str
    email: str
    scope: str
    tokens: list[str] = field(default_factory=list)
    refresh_tokens: list[str] = field(default_factory=list)
    token_expires_at: float = 0
    refresh_expires_at: float = 0
    # When the newest of each stops to work, for somebody asked for it; 0: nobody did.
    token_revoked_at: float = 0
    refresh_revoked_at: float = 0
    alive: bool = True
    ended_by: str = ""
    renewals: int = 0


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

    def new_code(self, scope: str) -> Code:
        letters = [secrets.choice(string.ascii_uppercase) for _ in range(8)]
        user_code = "".join(letters[:4]) + "-" + "".join(letters[4:])
        until = self.now() + self.options.code_lifetime
        code = Code(secrets.token_hex(20), user_code, scope, until, self.options.interval)
        self.codes[code.device_code] = code
        self.save()
        return code

    def is_early(self, code: Code) -> bool:
        """Whether this poll comes too soon; if so, the interval grows for good."""
        early = self.now() - code.polled_at < code.interval
        code.polled_at = self.now()
        code.interval += 5 if early else 0
        self.save()
        return early

    def decide(self, user_code: str, email: str | None) -> None:
        """Allow it for this user, or deny it. Raises ValueError for a code that is not open."""
        for code in self.codes.values():
            is_open = not (code.email or code.denied) and code.expires_at > self.now()
            if code.user_code == user_code and is_open:
                code.denied, code.email = email is None, email or ""
                self.save()
                return
        raise ValueError(f"no open code {user_code!r}")

    # Sessions

    def begin(self, code: Code) -> Session:
        """A code serves once."""
        del self.codes[code.device_code]
        scope = "" if self.options.app == "github_app" else code.scope
        session = Session(secrets.token_hex(8), code.email, scope)
        self.sessions[session.id] = session
        self.issue(session)
        return session

    def issue(self, session: Session) -> None:
        """A new pair; the one before is dead from now on."""
        prefix = "ghu" if self.options.app == "github_app" else "gho"
        session.tokens.append(f"{prefix}_{_chance(36)}")
        session.token_expires_at = session.token_revoked_at = session.refresh_revoked_at = 0
        if prefix == "ghu" and self.options.expiring_tokens:
            session.token_expires_at = self.now() + self.options.token_lifetime
            session.refresh_tokens.append(f"ghr_{_chance(76)}")
            session.refresh_expires_at = self.now() + self.options.refresh_lifetime
        self.save()

    def renew(self, session: Session) -> None:
        session.renewals += 1
        self.issue(session)

    def end(self, session: Session, by: str) -> None:
        session.alive, session.ended_by = False, by
        self.save()

    def end_token(self, session: Session) -> None:
        """The access token alone; a refresh token of the same sign-in is not named."""
        session.token_revoked_at = self.now()
        session.ended_by = "its application"
        self.save()

    def end_grant(self, email: str) -> None:
        for session in self.sessions.values():
            if session.email == email and self.is_alive(session):
                self.end(session, "its application")

    def revoke(self, credential: str) -> None:
        """Some time after it was listed, by anybody."""
        at = self.now() + self.options.revocation_delay
        for session in self.sessions.values():
            if session.tokens[-1] == credential:
                session.token_revoked_at, session.ended_by = at, "anybody"
            if session.refresh_tokens and session.refresh_tokens[-1] == credential:
                session.refresh_revoked_at, session.ended_by = at, "anybody"
        self.save()

    def is_alive(self, session: Session) -> bool:
        """Whether one of its tokens was not revoked yet; if they expired does not matter."""
        held = [session.token_revoked_at]
        held += [session.refresh_revoked_at] if session.refresh_tokens else []
        return session.alive and any(not at or at > self.now() for at in held)

    # Accepting

    def of_token(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.tokens), None)

    def of_refresh(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.refresh_tokens), None)

    def accepted(self, token: str | None) -> Session | None:
        one = self.of_token(token)
        if one is None or not one.alive or one.tokens[-1] != token:
            return None
        return one if self._holds(one.token_expires_at, one.token_revoked_at) else None

    def renewable(self, token: str | None) -> Session | None:
        one = self.of_refresh(token)
        if one is None or not one.alive or one.refresh_tokens[-1] != token:
            return None
        return one if self._holds(one.refresh_expires_at, one.refresh_revoked_at) else None

    def _holds(self, expires_at: float, revoked_at: float) -> bool:
        now = self.now()
        return (not expires_at or expires_at > now) and (not revoked_at or revoked_at > now)


def _chance(size: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(size))
