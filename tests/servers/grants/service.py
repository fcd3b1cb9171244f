"""What a service over grants/store.py answers to the front, whatever it says on the wire."""

from __future__ import annotations

from typing import Any

from tests.servers.front.store import StoredService
from tests.servers.front.upstreams import AsgiServer

from .store import Grant, Store


class GrantService(StoredService):
    shown = ("id", "email", "alive", "client_id", "scope", "ended_by", "renewals", "revocations")

    def __init__(self, store: Store, application: Any) -> None:
        super().__init__(store)
        self._grants = store
        self._server = AsgiServer(application)

    async def start(self) -> dict[str, int]:
        port = await self._server.start()
        return dict.fromkeys(self.hosts, port)

    async def approve(self, given: dict[str, Any]) -> dict[str, Any]:
        self._grants.answer(given)
        return {}

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Grant | None:
        names = ("token", "refresh_token", "access_token")
        for token in (*(form.get(name) for name in names), bearer):
            found = self._grants.find(token)
            if found:
                return found[0]
        return None

    def accept(self, given: dict[str, Any]) -> Grant | None:
        if "refresh_token" in given:
            return self._grants.accepted(given["refresh_token"], "refresh")
        return self._grants.accepted(given.get("jwt"), "access")
