"""Users in a table; what a password is kept as, front.store says."""

from __future__ import annotations

import sqlite3
from dataclasses import astuple

from tests.servers.front.store import FIRST, User

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    salt TEXT NOT NULL,
    hash TEXT NOT NULL
);
"""


def add(db: sqlite3.Connection, email: str, password: str, id: str = "", name: str = "") -> None:
    """Add an account, or replace the one with this e-mail address."""
    user = astuple(User.make(email, password, id, name))
    db.execute("INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?)", user)


def add_first(db: sqlite3.Connection) -> None:
    """The accounts of every stand-in, where there are none yet."""
    if not everyone(db):
        for email, password, name in FIRST:
            add(db, email, password, name=name)


def everyone(db: sqlite3.Connection) -> list[User]:
    return [User(*row) for row in db.execute("SELECT * FROM users ORDER BY rowid")]


def find(db: sqlite3.Connection, column: str, value: str) -> User | None:
    row = db.execute(f"SELECT * FROM users WHERE {column} = ?", (value,)).fetchone()
    return User(*row) if row else None
