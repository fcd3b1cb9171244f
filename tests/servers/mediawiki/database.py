"""What MediaWiki keeps in its SQLite files: users in one, sessions in the other.

A session's expiry is changed here where the clock would have ended it, and sessions are deleted
that a test ends; and what a logout must not end is put back.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.servers.front.ledger import Found

# wiki:MWSession:ID, where ID is the cookie wiki_session.
_SESSIONS = "keyname LIKE '%:MWSession:%'"
_ONE = f"{_SESSIONS} AND keyname LIKE ?"
_USER = re.compile(rb's:6:"userId";i:(\d+);')
_TIME = "%Y%m%d%H%M%S"
# A row as it is, to be put back.
Row = tuple[Any, ...]


class Database:
    def __init__(self, directory: Path) -> None:
        self._users = directory / "wiki.sqlite"
        self._cache = directory / "wikicache.sqlite"

    def users(self) -> list[dict[str, str]]:
        """Those with an address: not the wiki's own."""
        with _opened(self._users) as database:
            found = database.execute(
                "SELECT user_id, user_email, user_real_name FROM user"
                " WHERE user_email != '' ORDER BY user_id"
            ).fetchall()
        return [{"id": str(number), "email": email, "name": name} for number, email, name in found]

    def describe(self, user_name: str, email: str, name: str) -> None:
        """Give a user an address that needs no confirmation, and a name to be shown."""
        with _opened(self._users) as database:
            database.execute(
                "UPDATE user SET user_email = ?, user_real_name = ?, user_email_authenticated = ?"
                " WHERE user_name = ?",
                (email, name, datetime.now(timezone.utc).strftime(_TIME), user_name),
            )

    def sessions(self) -> list[Found]:
        """Those of somebody, which can be used now."""
        emails = {user["id"]: user["email"] for user in self.users()}
        now = datetime.now(timezone.utc).strftime(_TIME)
        found = []
        for key, value, exptime in self._rows("keyname, value, exptime"):
            user = _USER.search(_unpacked(value))
            email = emails.get(user[1].decode()) if user else None
            if email and exptime > now:
                cookie = key.rpartition(":")[2]
                found.append(Found(name=cookie, email=email, credentials={cookie}))
        return found

    def rows(self, id: str) -> list[Row]:
        """Of the session with this id."""
        with _opened(self._cache) as database:
            return database.execute(
                f"SELECT * FROM objectcache WHERE {_ONE}", [f"%:{id}"]
            ).fetchall()

    def put_back(self, rows: Iterable[Row]) -> None:
        """What of these is no longer there."""
        with _opened(self._cache) as database:
            for row in rows:
                marks = ", ".join("?" * len(row))
                database.execute(f"INSERT OR IGNORE INTO objectcache VALUES ({marks})", row)

    def end(self, id: str) -> None:
        with _opened(self._cache) as database:
            database.execute(f"DELETE FROM objectcache WHERE {_ONE}", [f"%:{id}"])

    def forget(self) -> None:
        with _opened(self._cache) as database:
            database.execute(f"DELETE FROM objectcache WHERE {_SESSIONS}")

    def age(self, seconds: float) -> None:
        """Let all sessions be so much older."""
        with _opened(self._cache) as database:
            for key, exptime in self._rows("keyname, exptime"):
                ends = _read_time(exptime) - timedelta(seconds=seconds)
                database.execute(
                    "UPDATE objectcache SET exptime = ? WHERE keyname = ?",
                    (ends.strftime(_TIME), key),
                )

    def _rows(self, columns: str) -> list[Row]:
        with _opened(self._cache) as database:
            query = f"SELECT {columns} FROM objectcache WHERE {_SESSIONS} ORDER BY rowid"
            return database.execute(query).fetchall()


def _read_time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=timezone.utc)


def _unpacked(value: bytes | str) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    with contextlib.suppress(zlib.error):
        return zlib.decompress(raw, -15)
    return raw


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(file, timeout=10)) as database, database:
        yield database
