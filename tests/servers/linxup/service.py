"""The shop as the front sees it: a storefront, its auth API on another port, people, sessions.

The storefront gets nothing of the auth API but its address. What control does with users and
sessions goes to the auth API's own records.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.servers.front.store import StoredService
from tests.servers.front.upstreams import AsgiServer, serve_asgi

from . import cookies as names
from .accounts import Accounts, Session
from .auth_api import AuthApi
from .shop import Shop
from .storefront import Storefront

HOST = "shop.linxup-demo.example"


class Service(StoredService):
    hosts: tuple[str, ...] = (HOST,)
    shown = (
        *("id", "email", "alive", "ended_by", "access_expires_at", "refresh_expires_at"),
        *("logins", "renewals", "logouts", "logout_cookies"),
    )

    def __init__(self, directory: Path) -> None:
        self.parameters: dict[str, str] = {"base": f"https://{HOST}"}
        self._shop = Shop(directory)
        self._accounts = Accounts(directory)
        super().__init__(self._accounts)
        self._auth_server = AsgiServer(AuthApi(self._accounts).application())
        self._to_auth: httpx.AsyncClient | None = None

    async def start(self) -> dict[str, int]:
        port = await self._auth_server.start()
        self._to_auth = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            timeout=5,
            # No proxy of the environment, and no connection that outlives an auth API.
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        await self.follow_settings()
        storefront = Storefront(self._shop, self._accounts.settings, self._to_auth)
        return {HOST: await serve_asgi(storefront.application())}

    async def stop(self) -> None:
        await self._auth_server.stop()
        if self._to_auth:
            await self._to_auth.aclose()

    async def follow_settings(self) -> None:
        if self.settings.auth_down:
            await self._auth_server.stop()
        else:
            await self._auth_server.start()

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        session = self._accounts.of_access(bearer or cookies.get(names.ACCESS, ""))
        return session or self._accounts.of_refresh(cookies.get(names.REFRESH, ""))

    def accept(self, given: dict[str, Any]) -> Session | None:
        jar = given.get("cookies") or {}
        access = given.get("jwt", jar.get(names.ACCESS, ""))
        refresh = given.get("refresh_token", jar.get(names.REFRESH, ""))
        return self._accounts.by_access(access) or self._accounts.by_refresh(refresh)
