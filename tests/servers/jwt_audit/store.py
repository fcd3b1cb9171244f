"""Issued tokens and the deny-list in one file, the audit log in another."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.fastapi_parts import audit, service, tokens
from tests.servers.fastapi_parts.database import Database
from tests.servers.fastapi_parts.tokens import Refused
from tests.servers.front.store import User

# A stateless service has no such table: it is there for the control interface, and no answer to a
# client depends on it.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS issued (
    jti TEXT PRIMARY KEY,
    email TEXT NOT NULL,
    issued_at REAL NOT NULL,
    expires_at REAL NOT NULL
);
"""


@dataclass
class Settings(service.Settings):
    token_lifetime: float = 1800
    # A logout refuses its token from then on.
    deny_list: bool = False
    # Every call to the audit log raises an error; it does so with `database_fails`, too.
    audit_fails: bool = False


class Store(service.Store):
    def __init__(self, directory: Path, settings: Settings) -> None:
        super().__init__(directory, settings, _SCHEMA)
        self.settings = settings
        self._audit = Database(
            directory / "audit.sqlite3",
            audit.SCHEMA,
            lambda: settings.audit_fails or settings.database_fails,
        )

    # For the service; each raises sqlite3.Error when the database fails

    def issue(self, user: User) -> str:
        now = int(self.now())
        claims: dict[str, Any] = {"sub": user.id, "email": user.email, "name": user.name}
        claims |= {"iat": now, "exp": int(now + self.settings.token_lifetime)}
        claims["jti"] = secrets.token_hex(8)
        with self.database.work() as db:
            row = (claims["jti"], user.email, now, claims["exp"])
            db.execute("INSERT INTO issued VALUES (?, ?, ?, ?)", row)
        self.record("login", claims)
        return self.signer.sign(claims)

    def opened(self, token: str | None) -> tuple[dict[str, Any], User]:
        """The claims and the user of a token. Raises Refused."""
        with self.database.work() as db:
            return self.accepted(db, token)

    def deny(self, claims: dict[str, Any], *, undo: bool) -> None:
        with self.database.work(undo=undo) as db:
            tokens.deny(db, claims["jti"], claims["exp"], self.now())

    def record(
        self, event: str, claims: dict[str, Any], detail: str = "", *, undo: bool = False
    ) -> bool:
        """An event in the audit log. False when that fails; it raises nothing."""
        try:
            with self._audit.work(undo=undo) as db:
                session, email = claims.get("jti", ""), claims.get("email", "")
                audit.record(db, self.now(), event, session=session, email=email, detail=detail)
        except sqlite3.Error:
            return False
        return True

    # For the control interface

    def trace(self, token: str | None) -> str | None:
        try:
            jti: str = self.signer.signed(token)["jti"]
        except Refused:
            return None
        return jti

    def holds(self, token: str | None) -> str | None:
        """The session of a token that would be accepted, if only the database answered."""
        try:
            with self.database.control() as db:
                claims, _ = self.accepted(db, token)
        except Refused:
            return None
        return str(claims["jti"])

    def sessions(self) -> list[dict[str, Any]]:
        with self._audit.control() as db:
            known = audit.events(db)
        with self.database.control() as db:
            return [
                {
                    "id": row["jti"],
                    "email": row["email"],
                    # The token is not denied. It may have expired, or its user have logged out.
                    "alive": not tokens.is_denied(db, row["jti"]),
                    "issued_at": row["issued_at"],
                    "expires_at": row["expires_at"],
                    "logouts": audit.count(known, "logout", row["jti"]),
                }
                for row in db.execute("SELECT * FROM issued ORDER BY rowid")
            ]

    def end(self, jti: str) -> None:
        with self.database.control() as db:
            row = db.execute("SELECT * FROM issued WHERE jti = ?", (jti,)).fetchone()
            if row is None:
                raise KeyError(jti)
            tokens.deny(db, jti, row["expires_at"], self.now())

    def forget(self) -> None:
        self.signer.renew_key()
        with self.database.control() as db:
            db.execute("DELETE FROM issued")
            db.execute("DELETE FROM denied")
        with self._audit.control() as db:
            audit.forget(db)
