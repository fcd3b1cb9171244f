"""Angel Studios as the front sees it: the site, its users and its sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers.front.store import StoredService
from tests.servers.front.upstreams import serve_asgi

from .site import HOSTS, Site
from .store import Session, Store


class Service(StoredService):
    hosts = HOSTS
    shown = ("id", "email", "alive", "jwt_expires_at", "logins", "renewals", "logouts")

    def __init__(self, directory: Path) -> None:
        self.parameters: dict[str, str] = {}
        self._store = Store(directory)
        super().__init__(self._store)

    async def start(self) -> dict[str, int]:
        return dict.fromkeys(HOSTS, await serve_asgi(Site(self._store).application()))

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        return self._store.traced(cookies, bearer)

    def accept(self, given: dict[str, Any]) -> Session | None:
        return self._store.accepted(given.get("cookies") or {}, given.get("jwt"))
