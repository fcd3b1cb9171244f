"""The shop as the front sees it: a storefront, its auth API on another port, people, sessions.

The storefront gets nothing of the auth API but its address. What control does with users and
sessions goes to the auth API's own records.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx

from tests.servers.front.upstreams import AsgiServer, serve_asgi

from . import cookies as names
from .accounts import Accounts
from .auth_api import AuthApi
from .settings import Settings
from .shop import Shop
from .storefront import Storefront

HOST = "shop.linxup-demo.example"
_SHOWN = (
    *("id", "email", "alive", "ended_by", "access_expires_at", "refresh_expires_at"),
    *("logins", "renewals", "logouts", "logout_cookies"),
)


class Linxup:
    hosts: tuple[str, ...] = (HOST,)

    def __init__(self, directory: Path) -> None:
        self.parameters: dict[str, str] = {"base": f"https://{HOST}"}
        self.settings = Settings()
        self._shop = Shop(directory)
        self._accounts = Accounts(directory, self.settings, self._now)
        auth_api = AuthApi(self._accounts, self.settings, self._now)
        self._auth_server = AsgiServer(auth_api.application())
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
        storefront = Storefront(self._shop, self.settings, self._to_auth, self._now)
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

    def trace(self, cookies: dict[str, str], bearer: str | None, _: dict[str, str]) -> str | None:
        session = self._accounts.of_access(bearer or cookies.get(names.ACCESS, ""))
        if session is None:
            session = self._accounts.of_refresh(cookies.get(names.REFRESH, ""))
        return session.id if session else None

    def users(self) -> list[dict[str, str]]:
        return [person.shown() for person in self._accounts.people.values()]

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        self._accounts.add_person(email, password, id, name)

    async def sessions(self) -> list[dict[str, Any]]:
        known = self._accounts.sessions.values()
        return [{name: getattr(session, name) for name in _SHOWN} for session in known]

    async def end_session(self, id: str) -> None:
        self._accounts.end(self._accounts.sessions[id], "somebody else")

    async def forget_sessions(self) -> None:
        self._accounts.forget_sessions()

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        jar = given.get("cookies") or {}
        access = given.get("jwt", jar.get(names.ACCESS, ""))
        refresh = given.get("refresh_token", jar.get(names.REFRESH, ""))
        session = self._accounts.by_access(access) or self._accounts.by_refresh(refresh)
        return {"accepted": session is not None, "session": session.id if session else None}

    def _now(self) -> float:
        return time.time() + self.settings.clock_offset
