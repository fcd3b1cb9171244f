"""The service as the front sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers.fastapi_parts.service import Standing

from .api import Api
from .store import Settings, Store

HOST = "api.jwt-audit-demo.example"


class Service(Standing):
    def __init__(self, directory: Path) -> None:
        settings = Settings()
        self._store = Store(directory, settings)
        super().__init__(HOST, settings, self._store, Api(self._store).application())

    def trace(self, _: dict[str, str], bearer: str | None, __: dict[str, str]) -> str | None:
        return self._store.trace(bearer)

    async def sessions(self) -> list[dict[str, Any]]:
        return self._store.sessions()

    async def end_session(self, id: str) -> None:
        self._store.end(id)

    async def forget_sessions(self) -> None:
        self._store.forget()

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        session = self._store.holds(given.get("jwt"))
        return {"accepted": session is not None, "session": session}
