"""The service as the front sees it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.front.store import StoredService
from tests.servers.front.upstreams import serve_asgi

from .api import Api, basic
from .settings import Settings
from .store import Session, Store

HOST = "cloud.home-demo.example"
# Its name at home, where it has no certificate.
LAN = "cloud.local"


class Service(StoredService):
    hosts = (HOST, LAN)
    shown = ("id", "email", "name", "alive", "ended_by", "collected")

    def __init__(self, directory: Path) -> None:
        self.parameters = {"base": f"https://{HOST}"}
        self._flows = Store(directory, Settings())
        super().__init__(self._flows)

    async def start(self) -> dict[str, int]:
        return dict.fromkeys(self.hosts, await serve_asgi(Api(self._flows).application()))

    async def stop(self) -> None:
        pass

    async def follow_settings(self) -> None:
        pass

    def credential(self, headers: Mapping[str, str]) -> str | None:
        given = basic(headers.get("authorization", ""))
        return given[1] if given else None

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        flow = self._flows.flows.get(form.get("token", ""))
        session = self._flows.sessions.get(flow.session) if flow else None
        return session or self._flows.of_password(bearer or form.get("token"))

    def accept(self, given: dict[str, Any]) -> Session | None:
        """An app password, as a token."""
        return self._flows.accepted(given.get("jwt"))

    async def approve(self, given: dict[str, Any]) -> dict[str, Any]:
        """`user_code` is the address that the viewer opens. Who does not want to closes the page,
        of which the server hears nothing."""
        flow = self._flows.landed(given["user_code"].rpartition("/")[2])
        if flow is None or flow.session:
            raise ValueError("Your login token is invalid or has expired")
        if given.get("deny"):
            return {}
        user = self._flows.check_password(given["username"], given["password"])
        if user is None:
            raise ValueError("wrong password")
        self._flows.allow(flow, user)
        return {}
