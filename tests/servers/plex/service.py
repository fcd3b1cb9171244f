"""What the front asks of plex.tv."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.front import store
from tests.servers.front.upstreams import serve_asgi

from .api import Api
from .settings import Settings
from .store import Session, Store

HOSTS = ("plex.tv", "clients.plex.tv")


class Service(store.StoredService):
    hosts = HOSTS
    shown = (
        *("id", "email", "alive", "ended_by", "listed"),
        *("device_id", "identifier", "product", "provides"),
    )

    def __init__(self, directory: Path) -> None:
        self.parameters = {}
        self._store = Store(directory / "state.json", Settings())
        super().__init__(self._store)
        self._application = Api(self._store).application(HOSTS)

    async def start(self) -> dict[str, int]:
        return dict.fromkeys(HOSTS, await serve_asgi(self._application))

    def credential(self, headers: Mapping[str, str]) -> str | None:
        return headers.get("x-plex-token")

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        return self._store.of_token(bearer or form.get("X-Plex-Token"))

    def accept(self, given: dict[str, Any]) -> Session | None:
        return self._store.accepted(given.get("jwt"))

    async def approve(self, given: dict[str, Any]) -> None:
        """At plex.tv/link, or at app.plex.tv with a strong code. A viewer cannot refuse: with
        `deny` he turns away, and the code goes by itself.
        """
        pin = self._store.open_pin(given["user_code"])
        if pin is None:
            raise ValueError("no such code")
        if given.get("deny"):
            return
        user = self._store.check_password(given["username"], given["password"])
        if user is None:
            raise ValueError("wrong e-mail address or password")
        self._store.link(pin, user)
