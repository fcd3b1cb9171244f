"""The site as the front sees it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from django.db import connection

from tests.servers.front.ledger import Ledger
from tests.servers.front.service import Service as FrontService
from tests.servers.front.settings import write_json
from tests.servers.front.upstreams import serve_asgi
from tests.servers.person import BehindTheFront

from . import application
from .application import HOST
from .settings import Settings

_COOKIE = "sessionid"

T = TypeVar("T")


class Service(FrontService):
    hosts = (HOST,)
    parameters: ClassVar[dict[str, str]] = {"base": f"https://{HOST}"}

    def __init__(self, directory: Path) -> None:
        self.settings = Settings()
        self._directory = directory
        self._ledger = Ledger(directory / "sessions.json")
        self._port = 0

    async def start(self) -> dict[str, int]:
        self._port = await serve_asgi(await asyncio.to_thread(self._set_up))
        return {HOST: self._port}

    def _set_up(self) -> Any:
        file = self._directory / "secret_key"
        if not file.exists():
            write_json(file, secrets.token_urlsafe(40))
        key = json.loads(file.read_text(encoding="utf-8"))
        django = application.application(self._directory, key, self.settings)
        from . import accounts

        self._accounts = accounts
        accounts.add_first()
        connection.close()
        return django

    async def follow_settings(self) -> None:
        application.follow(self.settings)

    async def trace(self, cookies: dict[str, str], _: str | None, __: dict[str, str]) -> str | None:
        await self._look()
        return self._ledger.id_of(cookies.get(_COOKIE))

    async def users(self) -> list[dict[str, str]]:
        return await self._ask(self._accounts.users)

    async def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        assert not id, "Django numbers its users"
        await self._ask(lambda: self._accounts.add_user(email, password, name))

    async def sessions(self) -> list[dict[str, Any]]:
        await self._look()
        return self._ledger.sessions()

    async def end_session(self, id: str) -> None:
        await self._look()
        name = self._ledger.name_of(id)
        await self._ask(lambda: self._accounts.end(name))

    async def forget_sessions(self) -> None:
        await self._ask(self._accounts.forget)
        self._ledger.forget()

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """Whether the admin lets in who has these cookies."""
        cookies = given.get("cookies") or {}
        await self._look()
        accepted = await asyncio.to_thread(self._lets_in, cookies)
        return {"accepted": accepted, "session": self._ledger.id_of(cookies.get(_COOKIE))}

    # Within

    async def _look(self) -> None:
        self._ledger.follow(await self._ask(self._accounts.sessions))

    def _lets_in(self, cookies: dict[str, str]) -> bool:
        admin = BehindTheFront(HOST, self._port)
        with contextlib.closing(admin):
            line = "; ".join(f"{name}={value}" for name, value in cookies.items())
            admin.request("GET", "/admin/", headers={"Host": HOST, "Cookie": line})
            return admin.getresponse().status == 200

    async def _ask(self, work: Callable[[], T]) -> T:
        """In a thread, as Django wants it."""

        def run() -> T:
            try:
                return work()
            finally:
                connection.close()

        return await asyncio.to_thread(run)
