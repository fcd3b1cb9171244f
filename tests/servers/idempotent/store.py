"""Sessions, their access and refresh tokens, and the audit log, in one file.

A refresh token is "<session>.<chance>"; the file has its hash. It serves once: a used one stays
until its session ends, so that its reuse is noticed.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.fastapi_parts import accounts, audit, service, tokens
from tests.servers.fastapi_parts.tokens import Refused
from tests.servers.front.store import User

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    email TEXT NOT NULL,
    created_at REAL NOT NULL,
    -- Of its newest refresh token.
    expires_at REAL NOT NULL,
    ended_at REAL
);
CREATE TABLE IF NOT EXISTS access_tokens (
    jti TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    expires_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS refresh_tokens (
    hash TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    expires_at REAL NOT NULL,
    used_at REAL
);
"""


@dataclass
class Settings(service.Settings):
    refresh_lifetime: float = 30 * 24 * 3600


@dataclass(frozen=True)
class Issued:
    access_token: str
    refresh_token: str


class Store(service.Store):
    """What takes `db` is called within a transaction of the service or the control interface."""

    def __init__(self, directory: Path, settings: Settings) -> None:
        super().__init__(directory, settings, _SCHEMA + audit.SCHEMA)
        self.settings = settings

    # Beginning and renewing

    def begin(self, db: sqlite3.Connection, user: User) -> Issued:
        session, now = secrets.token_hex(8), self.now()
        db.execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, NULL)",
            (session, user.id, user.email, now, 0),
        )
        self.record(db, "login", session)
        return self._issue(db, session, user)

    def renew(self, db: sqlite3.Connection, token: str | None) -> Issued | Refused:
        """New tokens for a refresh token, which is then used. A refusal is returned, not raised,
        since the end of a session by reuse must not be rolled back.
        """
        try:
            row = self._refresh_token(db, token)
        except Refused as refused:
            if refused.reason == "reused":
                session = self.owner(db, token) or ""
                self.record(db, "reuse", session)
                self.end(db, session)
            return refused
        user = accounts.find(db, "id", row["user_id"])
        if user is None:
            return Refused("invalid")
        db.execute(
            "UPDATE refresh_tokens SET used_at = ? WHERE hash = ?", (self.now(), row["hash"])
        )
        self.record(db, "refresh", row["session"])
        return self._issue(db, row["session"], user)

    # Accepting

    def live(self, db: sqlite3.Connection, user: User) -> list[sqlite3.Row]:
        return db.execute(
            "SELECT * FROM sessions WHERE user_id = ? AND ended_at IS NULL AND expires_at > ?"
            " ORDER BY rowid",
            (user.id, self.now()),
        ).fetchall()

    # Ending

    def end(self, db: sqlite3.Connection, session: str) -> bool:
        """False when there is no such session, or it had ended."""
        now = self.now()
        changed = db.execute(
            "UPDATE sessions SET ended_at = ? WHERE id = ? AND ended_at IS NULL", (now, session)
        )
        if changed.rowcount == 0:
            return False
        query = "SELECT * FROM access_tokens WHERE session = ? AND expires_at > ?"
        for row in db.execute(query, (session, now)).fetchall():
            tokens.deny(db, row["jti"], row["expires_at"], now)
        db.execute("DELETE FROM refresh_tokens WHERE session = ?", (session,))
        return True

    def record(
        self, db: sqlite3.Connection, event: str, session: str, email: str = "", detail: str = ""
    ) -> None:
        """An event in the audit log."""
        row = db.execute("SELECT email FROM sessions WHERE id = ?", (session,)).fetchone()
        email = row["email"] if row else email
        audit.record(db, self.now(), event, session=session, email=email, detail=detail)

    def owner(self, db: sqlite3.Connection, token: str | None) -> str | None:
        """The live session of a refresh token, which may have been used or have expired."""
        query = "SELECT session FROM refresh_tokens WHERE hash = ?"
        row = db.execute(query, (_hash(token or ""),)).fetchone()
        return row["session"] if row else None

    def holds_refresh_token(self, db: sqlite3.Connection, token: str | None) -> str | None:
        """The session of a refresh token that would be accepted."""
        try:
            return str(self._refresh_token(db, token)["session"])
        except Refused:
            return None

    # For the control interface

    def named(self, db: sqlite3.Connection, token: str | None) -> str | None:
        """The session, dead or alive, that a refresh token names, be it a true one or not."""
        query = "SELECT id FROM sessions WHERE id = ?"
        row = db.execute(query, ((token or "").partition(".")[0],)).fetchone()
        return row["id"] if row else None

    def sessions(self, db: sqlite3.Connection) -> list[dict[str, Any]]:
        known = audit.events(db)
        return [
            {
                "id": row["id"],
                "email": row["email"],
                "alive": row["ended_at"] is None,
                "created_at": row["created_at"],
                "expires_at": row["expires_at"],
                "renewals": audit.count(known, "refresh", row["id"]),
                "reuses": audit.count(known, "reuse", row["id"]),
                "logouts": audit.count(known, "logout", row["id"]),
            }
            for row in db.execute("SELECT * FROM sessions ORDER BY rowid")
        ]

    def forget(self, db: sqlite3.Connection) -> None:
        self.signer.renew_key()
        for table in ("sessions", "access_tokens", "refresh_tokens", "denied"):
            db.execute(f"DELETE FROM {table}")
        audit.forget(db)

    # Within

    def _issue(self, db: sqlite3.Connection, session: str, user: User) -> Issued:
        now, jti = self.now(), secrets.token_hex(8)
        expires_at = int(now + self.settings.token_lifetime)
        claims: dict[str, Any] = {
            "sub": user.id,
            "email": user.email,
            "name": user.name,
            "sid": session,
        }
        claims |= {"iat": int(now), "exp": expires_at, "jti": jti}
        db.execute("INSERT INTO access_tokens VALUES (?, ?, ?)", (jti, session, expires_at))
        refresh = f"{session}.{secrets.token_urlsafe(32)}"
        until = now + self.settings.refresh_lifetime
        db.execute(
            "INSERT INTO refresh_tokens VALUES (?, ?, ?, NULL)", (_hash(refresh), session, until)
        )
        db.execute("UPDATE sessions SET expires_at = ? WHERE id = ?", (until, session))
        return Issued(self.signer.sign(claims), refresh)

    def _refresh_token(self, db: sqlite3.Connection, token: str | None) -> sqlite3.Row:
        """The row of a refresh token that holds, and its user_id. Raises Refused."""
        if not token:
            raise Refused("missing")
        row = db.execute(
            "SELECT refresh_tokens.*, user_id FROM refresh_tokens"
            " JOIN sessions ON sessions.id = session WHERE hash = ?",
            (_hash(token),),
        ).fetchone()
        if row is None:
            raise Refused("invalid")
        if row["used_at"] is not None:
            raise Refused("reused")
        if row["expires_at"] <= self.now():
            raise Refused("expired")
        found: sqlite3.Row = row
        return found


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
