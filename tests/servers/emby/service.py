"""What the front asks of the Emby server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.front import store
from tests.servers.front.upstreams import serve_asgi
from tests.servers.mediabrowser_parts.devices import SHOWN, Session, Store, User
from tests.servers.mediabrowser_parts.header import identify
from tests.servers.mediabrowser_parts.wire import AnyCase

from .api import SOURCES, Api
from .settings import Settings

HOST = "emby.home-demo.example"
# Its name at home, where it has no certificate.
LAN = "emby.local"


class Service(store.StoredService):
    hosts = (HOST, LAN)
    shown = SHOWN

    def __init__(self, directory: Path) -> None:
        self.parameters = {"base": f"https://{HOST}"}
        self._configuration = Settings()
        self._store = Store(directory / "state.json", self._configuration, Session, User)
        super().__init__(self._store)
        self._api = Api(self._store, self._configuration)

    async def start(self) -> dict[str, int]:
        await self.follow_settings()
        return dict.fromkeys(
            self.hosts, await serve_asgi(AnyCase(self._api.application(), ("/emby",)))
        )

    async def follow_settings(self) -> None:
        self._api.shapes.administrator = self._configuration.administrator
        for user in self._store.users.values():
            user.disabled = user.email == self._configuration.disabled

    def credential(self, headers: Mapping[str, str]) -> str | None:
        return identify(headers, {}, SOURCES).token or None

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        return self._store.of_token(bearer or form.get("api_key"))

    def accept(self, given: dict[str, Any]) -> Session | None:
        return self._store.accepted(given.get("jwt"))
