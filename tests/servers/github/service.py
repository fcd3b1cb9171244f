"""The service as the front sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Host, Router

from tests.servers.front.store import StoredService
from tests.servers.front.upstreams import serve_asgi

from . import CLIENT_ID
from .login import Login
from .rest import Rest
from .settings import Settings
from .store import Session, Store

SITE = "github.com"
API = "api.github.com"


class Service(StoredService):
    hosts = (SITE, API)
    shown = ("id", "email", "alive", "ended_by", "renewals")

    def __init__(self, directory: Path) -> None:
        self.parameters = {"client_id": CLIENT_ID}
        self._granted = Store(directory, Settings())
        self._rest = Rest(self._granted)
        super().__init__(self._granted)

    async def start(self) -> dict[str, int]:
        site = Router(Login(self._granted).routes())
        api = Router(self._rest.routes())
        port = await serve_asgi(Starlette(routes=[Host(SITE, site), Host(API, api)]))
        return dict.fromkeys(self.hosts, port)

    async def stop(self) -> None:
        pass

    async def follow_settings(self) -> None:
        pass

    async def forget_sessions(self) -> None:
        self._rest.forget()
        await super().forget_sessions()

    async def sessions(self) -> list[dict[str, Any]]:
        known = self._granted.sessions
        shown = await super().sessions()
        return [{**one, "alive": self._granted.is_alive(known[one["id"]])} for one in shown]

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        listed = form.get("credentials")
        session = self._granted.of_token(bearer or form.get("access_token") or listed)
        return session or self._granted.of_refresh(form.get("refresh_token") or listed)

    def accept(self, given: dict[str, Any]) -> Session | None:
        if "jwt" in given:
            return self._granted.accepted(given["jwt"])
        return self._granted.renewable(given.get("refresh_token"))

    async def approve(self, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("deny"):
            self._granted.decide(given["user_code"], None)
            return {}
        user = self._granted.check_password(given["username"], given["password"])
        if user is None:
            raise ValueError("wrong password")
        self._granted.decide(given["user_code"], user.email)
        return {}
