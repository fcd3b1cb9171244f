"""What Synapse keeps in its SQLite file: looked at only, and while Synapse writes to it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.servers.front.ledger import Found

_USERS = """
    SELECT users.name, address, displayname FROM users
    JOIN user_threepids ON user_threepids.user_id = users.name
    LEFT JOIN profiles ON profiles.full_user_id = users.name
    ORDER BY creation_ts, users.name
"""
_DEVICES = """
    SELECT user_id, device_id FROM devices
    JOIN users ON users.name = user_id
    WHERE NOT hidden AND NOT admin
    ORDER BY devices.rowid
"""
_TOKENS = """
    SELECT user_id, device_id, token, coalesce(valid_until_ms, 1e99) FROM access_tokens
    UNION ALL
    SELECT user_id, device_id, token,
        min(coalesce(expiry_ts, 1e99), coalesce(ultimate_session_expiry_ts, 1e99))
    FROM refresh_tokens WHERE next_token_id IS NULL
"""
_REFRESH = """
    SELECT min(coalesce(one.expiry_ts, 1e99), coalesce(one.ultimate_session_expiry_ts, 1e99)),
        next.next_token_id IS NOT NULL OR coalesce(access.used, 0)
    FROM refresh_tokens AS one
    LEFT JOIN refresh_tokens AS next ON next.id = one.next_token_id
    LEFT JOIN access_tokens AS access ON access.refresh_token_id = next.id
    WHERE one.token = ?
"""


class Database:
    def __init__(self, file: Path) -> None:
        self._file = file

    def users(self) -> list[dict[str, str]]:
        return [
            {"id": user, "email": email, "name": name or ""}
            for user, email, name in self._rows(_USERS)
        ]

    def devices(self) -> list[tuple[str, str]]:
        """User and device."""
        return self._rows(_DEVICES)

    def sessions(self, now: float) -> list[Found]:
        emails = {user["id"]: user["email"] for user in self.users()}
        tokens = defaultdict(list)
        for user, device, token, until in self._rows(_TOKENS):
            tokens[user, device].append((token, until))
        return [
            Found(
                name=f"{user} {device}",
                email=emails[user],
                credentials={token for token, _ in tokens[user, device]},
                alive=any(until > now * 1000 for _, until in tokens[user, device]),
            )
            for user, device in self.devices()
        ]

    def is_unused(self, access_token: str, now: float) -> bool:
        """It could be used and never was: asking whoami would be its first use."""
        query = (
            "SELECT coalesce(valid_until_ms, 1e99) FROM access_tokens WHERE token = ? AND NOT used"
        )
        return any(until > now * 1000 for (until,) in self._rows(query, access_token))

    def takes(self, refresh_token: str, now: float) -> bool:
        """Whether it can be exchanged: for the first time, or because the answer was lost."""
        found = self._rows(_REFRESH, refresh_token)
        return any(until > now * 1000 and not is_spent for until, is_spent in found)

    def _rows(self, query: str, *parameters: str) -> list[Any]:
        with self._opened() as database:
            return database.execute(query, parameters).fetchall()

    @contextlib.contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        address = f"file:{self._file}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=10)) as database:
            yield database
