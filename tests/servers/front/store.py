"""What most stand-ins are made of: users and sessions in one JSON file, and a service over them.

A session is accepted by what the file remembers, not by what a token claims. Passwords are kept as
scrypt hashes with a small cost (this is a test server), as UTF-8 and not normalised.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import jwt

from tests.servers.fixture import StandIn

from .service import Service
from .settings import Settings, write_json

# The accounts that every stand-in has from the start, and their names.
FIRST = ((*StandIn.VIEWER, "Viewer"), (*StandIn.NON_ASCII, "例え"))


@dataclass
class User:
    id: str
    email: str
    name: str
    salt: str
    hash: str

    @classmethod
    def make(cls, email: str, password: str, id: str = "", name: str = "") -> Any:
        salt = secrets.token_hex(8)
        shown = name or email.partition("@")[0]
        return cls(id or cls.new_id(), email, shown, salt, _hash(password, salt))

    @staticmethod
    def new_id() -> str:
        return f"{secrets.randbelow(10**8):08d}"

    def shown(self) -> dict[str, str]:
        return {"id": self.id, "email": self.email, "name": self.name}


def has_password(user: User | None, password: str) -> bool:
    """Takes as long for an unknown account as for a wrong password."""
    given = _hash(password, user.salt if user else "00")
    return hmac.compare_digest(user.hash if user else "", given)


def _hash(password: str, salt: str) -> str:
    # A lone surrogate, which JSON can bring, has no UTF-8.
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=bytes.fromhex(salt), n=256, r=8, p=1, dklen=32).hex()


U = TypeVar("U", bound=User)
S = TypeVar("S")


class Store(Generic[U, S]):
    """Each change is in the file before it is answered."""

    # Of the access tokens, where they are JWTs: one algorithm, one key.
    algorithm = "HS256"

    def __init__(
        self, file: Path, settings: Settings, session_type: type[S], user_type: type[U]
    ) -> None:
        self.settings = settings
        self.users: dict[str, U] = {}
        self.sessions: dict[str, S] = {}
        self._key = secrets.token_bytes(64)
        self._file = file
        self._session_type = session_type
        self._user_type = user_type
        if file.exists():
            self.load(json.loads(file.read_text(encoding="utf-8")))
        else:
            for email, password, name in FIRST:
                self.add_user(email, password, name=name)

    def load(self, state: dict[str, Any]) -> None:
        self._key = bytes.fromhex(state["key"])
        self.users = {one["email"]: self._user_type(**one) for one in state["users"]}
        self.sessions = {one["id"]: self._session_type(**one) for one in state["sessions"]}

    def save(self, **more: Any) -> None:
        """`more` is what a derived store keeps besides."""
        users = [asdict(user) for user in self.users.values()]
        sessions: list[Any] = [asdict(one) for one in self.sessions.values()]  # type: ignore[call-overload]
        write_json(
            self._file, {"key": self._key.hex(), "users": users, "sessions": sessions, **more}
        )

    def now(self) -> float:
        return self.settings.now()

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        """Add an account, or replace the one with this e-mail address."""
        self.users[email] = self._user_type.make(email, password, id, name)
        self.save()

    def check_password(self, email: str, password: str) -> U | None:
        user = self.users.get(email)
        return user if has_password(user, password) else None

    def end(self, session: Any, by: str) -> None:
        raise NotImplementedError

    def forget_sessions(self) -> None:
        self.sessions.clear()
        self.save()

    # JSON Web Tokens. Whether the claims still hold is not looked at.

    def sign(self, claims: dict[str, Any]) -> str:
        text = json.dumps(claims, separators=(",", ":"), ensure_ascii=False)
        return jwt.PyJWS().encode(text.encode(), self._key, self.algorithm)

    def signed(self, token: str) -> dict[str, Any]:
        """The claims, if the signature is ours; else nothing."""
        try:
            text = jwt.PyJWS().decode(token, self._key, algorithms=[self.algorithm])
        except (jwt.InvalidTokenError, UnicodeEncodeError):
            return {}
        claims: dict[str, Any] = json.loads(text)
        return claims


class StoredService(Service):
    """The part of a service that its store answers."""

    # The fields of a session that the control interface shows.
    shown: tuple[str, ...]

    def __init__(self, store: Store[Any, Any]) -> None:
        self.store = store
        self.settings = store.settings

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Any | None:
        """The session that these credentials ever belonged to, dead or alive."""

    def accept(self, given: dict[str, Any]) -> Any | None:
        """The session that these credentials open now."""

    def trace(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> str | None:
        session = self.recognise(cookies, bearer, form)
        return session.id if session else None

    def users(self) -> list[dict[str, str]]:
        return [user.shown() for user in self.store.users.values()]

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        self.store.add_user(email, password, id, name)

    async def sessions(self) -> list[dict[str, Any]]:
        known = self.store.sessions.values()
        return [{name: getattr(session, name) for name in self.shown} for session in known]

    async def end_session(self, id: str) -> None:
        self.store.end(self.store.sessions[id], "somebody else")

    async def forget_sessions(self) -> None:
        self.store.forget_sessions()

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        session = self.accept(given)
        return {"accepted": session is not None, "session": session.id if session else None}
