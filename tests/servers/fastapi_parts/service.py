"""What both services share before the front: one host, one application, users and tokens."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from fastapi import FastAPI

from tests.servers.front import service, settings
from tests.servers.front.store import User, has_password
from tests.servers.front.upstreams import serve_asgi

from . import accounts, tokens
from .database import Database
from .tokens import Refused


@dataclass
class Settings(settings.Settings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "generation": ("new", "old"),
        "old_refusal": ("401", "403"),
    }

    # "new": a logout answers 200 whatever it was given, and also when its database fails.
    # "old": it refuses a missing, invalid, expired or revoked token, and is 500 without database.
    generation: str = "new"
    # The status of that refusal. FastAPI itself said 403 to a missing token until its 0.122.
    old_refusal: str = "401"
    # Every call that the service makes to its database raises an error.
    database_fails: bool = False
    token_lifetime: float = 900

    @property
    def old(self) -> bool:
        return self.generation == "old"


class Store:
    """The service's file and key."""

    def __init__(self, directory: Path, settings: Settings, schema: str) -> None:
        self.now = settings.now
        self.signer = tokens.Signer(directory / "signing.key")
        self.database = Database(
            directory / "service.sqlite3",
            accounts.SCHEMA + tokens.SCHEMA + schema,
            lambda: settings.database_fails,
        )
        with self.database.control() as db:
            accounts.add_first(db)

    def user_of_password(self, email: str, password: str) -> User:
        """Raises Refused, or sqlite3.Error when the database fails."""
        with self.database.work() as db:
            user = accounts.find(db, "email", email)
        if not has_password(user, password) or user is None:
            raise Refused("password")
        return user

    def accepted(self, db: sqlite3.Connection, token: str | None) -> tuple[dict[str, Any], User]:
        """The claims and the user of an access token. Raises Refused."""
        claims = self.signer.unexpired(token, self.now())
        if tokens.is_denied(db, claims["jti"]):
            raise Refused("revoked")
        user = accounts.find(db, "id", claims["sub"])
        if user is None:
            raise Refused("invalid")
        return claims, user


class Standing(service.Service):
    """The half of a service that does not depend on what a session is."""

    def __init__(self, host: str, settings: Settings, store: Store, application: FastAPI) -> None:
        self.hosts = (host,)
        self.parameters = {"base": f"https://{host}"}
        self.settings = settings
        self._database = store.database
        self._application = application

    async def start(self) -> dict[str, int]:
        return {self.hosts[0]: await serve_asgi(self._application)}

    def users(self) -> list[dict[str, str]]:
        with self._database.control() as db:
            return [user.shown() for user in accounts.everyone(db)]

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        with self._database.control() as db:
            accounts.add(db, email, password, id, name)
