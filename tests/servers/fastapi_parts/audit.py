"""The audit log: a table of events, the same in both services.

A log-out of nobody known is in it too, so it tells more than the control interface's sessions; a
test reads it with `audit_log`. Python 3.8 or later, standard library only.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    event TEXT NOT NULL,
    -- Who and which; empty when the request did not say.
    session TEXT NOT NULL,
    email TEXT NOT NULL,
    -- Of a log-out: what was wrong with its token, or nothing.
    detail TEXT NOT NULL
);
"""


def record(
    db: sqlite3.Connection, at: float, event: str, *, session: str, email: str, detail: str
) -> None:
    db.execute(
        "INSERT INTO audit (at, event, session, email, detail) VALUES (?, ?, ?, ?, ?)",
        (at, event, session, email, detail),
    )


def events(db: sqlite3.Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in db.execute("SELECT * FROM audit ORDER BY seq")]


def count(known: list[dict[str, Any]], event: str, session: str) -> int:
    return sum(one["event"] == event and one["session"] == session for one in known)


def forget(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM audit")


def audit_log(directory: Path) -> list[dict[str, Any]]:
    """All events in the directory of a stand-in, running or not."""
    own = directory / "audit.sqlite3"
    file = own if own.exists() else directory / "service.sqlite3"
    with contextlib.closing(sqlite3.connect(str(file))) as db:
        db.row_factory = sqlite3.Row
        return events(db)
