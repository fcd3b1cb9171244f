"""The service as the front sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.servers.front.store import StoredService
from tests.servers.front.upstreams import serve_asgi

from .api import API, SITE, Api
from .settings import Settings
from .store import Session, Store


class Service(StoredService):
    hosts = (API, SITE)
    shown = ("id", "email", "alive", "ended_by", "renewals", "disabled")

    def __init__(self, directory: Path) -> None:
        self.parameters: dict[str, str] = {}
        self._grants = Store(directory, Settings())
        self._api = Api(self._grants)
        super().__init__(self._grants)

    async def start(self) -> dict[str, int]:
        port = await serve_asgi(self._api.application())
        return dict.fromkeys(self.hosts, port)

    async def stop(self) -> None:
        pass

    async def follow_settings(self) -> None:
        pass

    async def forget_sessions(self) -> None:
        self._api.forget()
        await super().forget_sessions()

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        session = self._grants.of_token(bearer or form.get("auth_token"))
        return session or self._grants.of_refresh(form.get("code"))

    def accept(self, given: dict[str, Any]) -> Session | None:
        if "jwt" in given:
            return self._grants.accepted(given["jwt"])
        return self._grants.renewable(given.get("refresh_token"))

    async def approve(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("deny"):
            self._grants.decide(given["user_code"], None)
            return {}
        user = self._grants.check_password(given["username"], given["password"])
        if user is None:
            raise ValueError("wrong password")
        self._grants.decide(given["user_code"], user.email)
        return {}
