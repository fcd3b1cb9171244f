"""Browsers that are signed in, logins under way, codes, and grants with their tokens."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers.front import store
from tests.servers.front.store import User

from .settings import Settings


@dataclass
class Browser:
    """Auth0's session layer: who holds the cookie `auth0`."""

    sid: str
    cookie: str
    email: str = ""
    alive: bool = True


@dataclass
class Transaction:
    """A login under way. Its state is another one after each page."""

    state: str
    sid: str
    asked: dict[str, str]
    expires_at: float
    email: str = ""
    # Signed in; only to be resumed.
    done: bool = False


@dataclass
class Code:
    code: str
    sid: str
    email: str
    asked: dict[str, str]
    expires_at: float


@dataclass
class Session:
    """What a code was exchanged for: a family of refresh tokens, and access tokens."""

    id: str
    email: str
    client_id: str
    scope: str
    audience: str
    sid: str
    began_at: float
    renewed_at: float
    refresh_tokens: list[str] = field(default_factory=list)
    # And when they expire; nothing else ends them.
    tokens: dict[str, float] = field(default_factory=dict)
    alive: bool = True
    ended_by: str = ""
    renewals: int = 0


class Store(store.Store[User, Session]):
    def __init__(self, directory: Path, settings: Settings) -> None:
        self.options = settings
        self.browsers: dict[str, Browser] = {}
        self.transactions: dict[str, Transaction] = {}
        self.codes: dict[str, Code] = {}
        self.failures: dict[str, int] = {}
        self.pem = ""
        super().__init__(directory / "state.json", settings, Session, User)

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        self.browsers = {one["sid"]: Browser(**one) for one in state["browsers"]}
        self.transactions = {one["state"]: Transaction(**one) for one in state["transactions"]}
        self.codes = {one["code"]: Code(**one) for one in state["codes"]}
        self.failures, self.pem = state["failures"], state["pem"]

    def save(self, **more: Any) -> None:
        self.pem = self.pem or _new_key()
        kept = ("browsers", "transactions", "codes")
        lists = {name: [asdict(one) for one in getattr(self, name).values()] for name in kept}
        super().save(**lists, failures=self.failures, pem=self.pem, **more)

    def forget_sessions(self) -> None:
        self.browsers.clear()
        self.transactions.clear()
        self.codes.clear()
        self.failures.clear()
        super().forget_sessions()

    # Browsers and their logins

    def browser(self, cookie: str | None) -> Browser | None:
        held = [one for one in self.browsers.values() if one.cookie == cookie and one.alive]
        return held[0] if held else None

    def new_browser(self) -> Browser:
        browser = Browser(secrets.token_urlsafe(24), f"s%3Av1.{secrets.token_urlsafe(90)}")
        self.browsers[browser.sid] = browser
        return browser

    def begin(self, browser: Browser, asked: dict[str, str]) -> Transaction:
        until = self.now() + self.options.transaction_lifetime
        transaction = Transaction(_state(), browser.sid, asked, until)
        self.transactions[transaction.state] = transaction
        self.save()
        return transaction

    def underway(self, state: str, browser: Browser | None) -> Transaction | None:
        """The login of this state, if this browser began it and it is not too late."""
        found = self.transactions.get(state)
        if found is None or browser is None or found.sid != browser.sid:
            return None
        return found if found.expires_at > self.now() else None

    def next_page(self, transaction: Transaction) -> None:
        del self.transactions[transaction.state]
        transaction.state = _state()
        self.transactions[transaction.state] = transaction
        self.save()

    def sign_in(self, transaction: Transaction, browser: Browser) -> None:
        """The browser's cookie is another one from now on."""
        browser.email = transaction.email
        browser.cookie = f"s%3Av1.{secrets.token_urlsafe(90)}"
        transaction.done = True
        self.next_page(transaction)

    def sign_out(self, browser: Browser) -> None:
        browser.alive = False
        self.save()

    def new_code(self, browser: Browser, asked: dict[str, str]) -> Code:
        until = self.now() + self.options.code_lifetime
        code = Code(secrets.token_urlsafe(32), browser.sid, browser.email, asked, until)
        self.codes[code.code] = code
        self.save()
        return code

    # Grants

    def redeem(self, code: Code) -> Session:
        """A code serves once."""
        del self.codes[code.code]
        now, asked = self.now(), code.asked
        session = Session(
            id=secrets.token_hex(8),
            email=code.email,
            client_id=asked["client_id"],
            scope=asked.get("scope", ""),
            audience=asked.get("audience", ""),
            sid=code.sid,
            began_at=now,
            renewed_at=now,
        )
        if "offline_access" in session.scope.split():
            session.refresh_tokens.append(f"v1.{secrets.token_urlsafe(48)}")
        self.sessions[session.id] = session
        return session

    def renew(self, session: Session) -> None:
        session.renewals += 1
        session.renewed_at = self.now()
        if self.options.rotation:
            session.refresh_tokens.append(f"v1.{secrets.token_urlsafe(48)}")
        self.save()

    def keep(self, session: Session, token: str) -> None:
        session.tokens[token] = self.now() + self.options.token_lifetime
        self.save()

    def revoke(self, session: Session, by: str) -> None:
        """This family, or by the tenant's will all of the user's with this application."""
        for one in self.sessions.values():
            same = (one.email, one.client_id) == (session.email, session.client_id)
            if one is session or (same and self.options.revocation_deletes_grant):
                self.end(one, by)

    def end(self, session: Session, by: str) -> None:
        if session.alive:
            session.alive, session.ended_by = False, by
            self.save()

    def of_token(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.tokens), None)

    def of_refresh(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.refresh_tokens), None)

    def accepted(self, token: str | None) -> Session | None:
        session = self.of_token(token)
        return session if session and session.tokens[token or ""] > self.now() else None

    def is_spent(self, session: Session, token: str) -> bool:
        """Whether another one took its place, and not just now."""
        newest = session.refresh_tokens[-1] == token
        last_but_one = token in session.refresh_tokens[-2:]
        within = self.now() - session.renewed_at < self.options.overlap
        return not (newest or (last_but_one and within))

    def renewable(self, token: str | None) -> Session | None:
        """It is alive and not too old; whether it is spent is another question."""
        session, now = self.of_refresh(token), self.now()
        if session is None or not session.alive:
            return None
        young = now < session.began_at + self.options.refresh_lifetime
        used = now < session.renewed_at + self.options.idle_lifetime
        return session if (young and used) or not self.options.rotation else None


def _state() -> str:
    return f"hKFo2SB{secrets.token_urlsafe(60)}"


def _new_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kind, bare = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, kind, bare).decode()
