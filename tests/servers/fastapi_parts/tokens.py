"""Access tokens: JWTs signed with HS256 (PyJWT), the deny-list of those that were given back, and
why one is not accepted (RFC 6750, section 3).

The key is a file beside the database, so that a signature is checked also while that fails.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from pathlib import Path
from typing import Any

import jwt

SCHEMA = """
CREATE TABLE IF NOT EXISTS denied (
    jti TEXT PRIMARY KEY,
    expires_at REAL NOT NULL
);
"""

_TEXTS = {
    "missing": "Not authenticated",
    "invalid": "Could not validate credentials",
    "expired": "Token has expired",
    "revoked": "Token has been revoked",
    "password": "Incorrect username or password",
    "reused": "Refresh token was used before",
}

_ALGORITHM = "HS256"
# Expiry is judged by the stand-in's clock, which a test can move.
_OPTIONS: Any = {
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "require": ["sub", "jti", "iat", "exp"],
}


class Refused(Exception):
    """`reason` is a key of the texts above; the status is 401, an older server's may be 403."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(_TEXTS[reason])
        self.reason = reason
        self.status = status


class Signer:
    def __init__(self, file: Path) -> None:
        self._file = file
        if not file.exists():
            self.renew_key()
        self._key = file.read_bytes()

    def renew_key(self) -> None:
        """From now on every token signed before is invalid."""
        self._key = secrets.token_bytes(32)
        new = self._file.with_suffix(".new")
        new.write_bytes(self._key)
        os.replace(new, self._file)

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._key, _ALGORITHM)

    def signed(self, token: str | None) -> dict[str, Any]:
        """The claims, whether or not they still hold. Raises Refused."""
        if not token:
            raise Refused("missing")
        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, [_ALGORITHM], options=_OPTIONS)
        except jwt.InvalidTokenError as error:
            raise Refused("invalid") from error
        return claims

    def unexpired(self, token: str | None, now: float) -> dict[str, Any]:
        """The claims of a token that no deny-list was asked about. Raises Refused."""
        claims = self.signed(token)
        if claims["exp"] <= now:
            raise Refused("expired")
        return claims


def deny(db: sqlite3.Connection, jti: str, expires_at: float, now: float) -> None:
    """Refuse a token until it expires, and forget those that have."""
    db.execute("DELETE FROM denied WHERE expires_at <= ?", (now,))
    db.execute("INSERT OR IGNORE INTO denied VALUES (?, ?)", (jti, expires_at))


def is_denied(db: sqlite3.Connection, jti: str) -> bool:
    return db.execute("SELECT 1 FROM denied WHERE jti = ?", (jti,)).fetchone() is not None
