"""The service as the front sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers.fastapi_parts.service import Standing
from tests.servers.fastapi_parts.tokens import Refused

from .api import Api
from .store import Settings, Store

HOST = "api.idempotent-demo.example"


class Service(Standing):
    def __init__(self, directory: Path) -> None:
        settings = Settings()
        self._store = Store(directory, settings)
        super().__init__(HOST, settings, self._store, Api(self._store).application())

    def trace(self, cookies: dict[str, str], bearer: str | None, _: dict[str, str]) -> str | None:
        try:
            return str(self._store.signer.signed(bearer)["sid"])
        except Refused:
            with self._database.control() as db:
                return self._store.named(db, cookies.get("refresh_token"))

    async def sessions(self) -> list[dict[str, Any]]:
        with self._database.control() as db:
            return self._store.sessions(db)

    async def end_session(self, id: str) -> None:
        with self._database.control() as db:
            if all(one["id"] != id for one in self._store.sessions(db)):
                raise KeyError(id)
            self._store.end(db, id)

    async def forget_sessions(self) -> None:
        with self._database.control() as db:
            self._store.forget(db)

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """A bearer token, or a refresh token, by itself or as the cookie."""
        refresh = given.get("refresh_token") or given.get("cookies", {}).get("refresh_token")
        with self._database.control() as db:
            session = self._store.holds_refresh_token(db, refresh)
            if "jwt" in given:
                try:
                    session = self._store.accepted(db, given["jwt"])[0]["sid"]
                except Refused:
                    session = None
        return {"accepted": session is not None, "session": session}
