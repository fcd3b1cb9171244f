"""What both services share before the front: one host, one application, users and tokens."""

from __future__ import annotations

import time
from pathlib import Path

from fastapi import FastAPI

from tests.servers.front.upstreams import AsgiServer

from . import accounts, tokens
from .database import Database
from .refusal import Refused
from .settings import Settings


class Store:
    """The service's file and key."""

    def __init__(self, directory: Path, settings: Settings, schema: str) -> None:
        self._settings = settings
        self.signer = tokens.Signer(directory / "signing.key")
        self.database = Database(
            directory / "service.sqlite3",
            accounts.SCHEMA + tokens.SCHEMA + schema,
            lambda: settings.database_fails,
        )
        with self.database.control() as db:
            accounts.add_first(db)

    def now(self) -> float:
        return time.time() + self._settings.clock_offset

    def user_of_password(self, email: str, password: str) -> accounts.User:
        """Raises Refused, or sqlite3.Error when the database fails."""
        with self.database.work() as db:
            user, hashed = accounts.with_password(db, email)
        if not accounts.fits(password, hashed) or user is None:
            raise Refused("password")
        return user


class Standing:
    """The half of front.service.Service that does not depend on what a session is."""

    def __init__(self, host: str, settings: Settings, store: Store, application: FastAPI) -> None:
        self.hosts = (host,)
        self.parameters = {"base": f"https://{host}"}
        self.settings = settings
        self._database = store.database
        self._server = AsgiServer(application)

    async def start(self) -> dict[str, int]:
        return {self.hosts[0]: await self._server.start()}

    async def stop(self) -> None:
        await self._server.stop()

    def users(self) -> list[dict[str, str]]:
        with self._database.control() as db:
            return [user.as_dict() for user in accounts.everyone(db)]

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        with self._database.control() as db:
            accounts.add(db, email, password, id, name)
