"""Users and their passwords, kept as scrypt hashes with a moderate cost: this is a test server.

A password is compared as UTF-8, not normalised.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
from dataclasses import asdict, dataclass

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- scrypt$n$r$p$salt$hash
    password TEXT NOT NULL
);
"""

_N, _R, _P = 2**11, 8, 1


@dataclass(frozen=True)
class User:
    id: str
    email: str
    name: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def add(db: sqlite3.Connection, email: str, password: str, id: str = "", name: str = "") -> None:
    """Add an account, or replace the one with this e-mail address."""
    user_id, name = id or f"{secrets.randbelow(10**8):08d}", name or email.split("@", maxsplit=1)[0]
    db.execute(
        "INSERT OR REPLACE INTO users (id, email, name, password) VALUES (?, ?, ?, ?)",
        (user_id, email, name, _hashed(password, secrets.token_bytes(16))),
    )


def add_first(db: sqlite3.Connection) -> None:
    """The accounts of every stand-in, where there are none yet."""
    if not everyone(db):
        add(db, "viewer@example.com", "correct horse", name="Viewer")
        add(db, "zoë.ünïcode@例え.jp", "пароль-密码-🔑", name="例え")


def everyone(db: sqlite3.Connection) -> list[User]:
    return [User(*row) for row in db.execute("SELECT id, email, name FROM users ORDER BY rowid")]


def by_id(db: sqlite3.Connection, id: str) -> User | None:
    row = db.execute("SELECT id, email, name FROM users WHERE id = ?", (id,)).fetchone()
    return User(*row) if row else None


def with_password(db: sqlite3.Connection, email: str) -> tuple[User | None, str]:
    """The account and its hashed password; for an unknown address one that fits nothing."""
    row = db.execute("SELECT * FROM users WHERE email = ?", (email,)).fetchone()
    if row is None:
        return None, _NOBODY
    return User(row["id"], row["email"], row["name"]), row["password"]


def fits(password: str, hashed: str) -> bool:
    """Takes as long for an unknown account as for a wrong password."""
    salt = bytes.fromhex(hashed.split("$")[4])
    return hmac.compare_digest(_hashed(password, salt), hashed)


def _hashed(password: str, salt: bytes) -> str:
    # A lone surrogate, which JSON can bring, has no UTF-8.
    given = password.encode("utf-8", "surrogatepass")
    digest = hashlib.scrypt(given, salt=salt, n=_N, r=_R, p=_P, dklen=32)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${digest.hex()}"


_NOBODY = f"scrypt${_N}${_R}${_P}${secrets.token_hex(16)}${secrets.token_hex(32)}"
