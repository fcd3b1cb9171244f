"""The wiki as the front sees it: PHP's own web server, looked at through its SQLite files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.front.answer import Answer
from tests.servers.front.child import Child
from tests.servers.front.ledger import Ledger
from tests.servers.front.request import Request
from tests.servers.front.service import Service as FrontService
from tests.servers.front.store import FIRST
from tests.servers.person import BehindTheFront

from . import install
from .database import Database
from .settings import Settings
from .wiki import Wiki

HOST = "wiki.home-demo.example"
BASE = f"https://{HOST}"
_COOKIE = "wiki_session"
_WHO = "/api.php?action=query&meta=userinfo&format=json&formatversion=2"


class Service(FrontService):
    hosts = (HOST,)
    parameters: ClassVar[dict[str, str]] = {"base": BASE}

    def __init__(self, directory: Path) -> None:
        self.settings = Settings()
        self._directory = directory.resolve()
        self._wiki = Wiki(self._directory, BASE)
        self._database = Database(self._directory)
        self._ledger = Ledger(self._directory / "sessions.json")
        self._php = Child(
            self._command,
            self._directory / "php.log",
            MW_CONFIG_FILE=str(self._wiki.settings),
            PHP_CLI_SERVER_WORKERS="4",
        )
        # What the sessions were made older by.
        self._aged = 0.0

    async def start(self) -> dict[str, int]:
        lack = install.missing()
        if lack:
            raise RuntimeError(lack)
        self._aged = self.settings.clock_offset
        await asyncio.to_thread(self._make)
        return {HOST: await self._php.start()}

    async def stop(self) -> None:
        await self._php.stop()
        log = self._directory / "mediawiki.log"
        if log.exists():
            print(f"Traceback in MediaWiki:\n{log.read_text(encoding='utf-8')}", file=sys.stderr)

    async def follow_settings(self) -> None:
        offset = self.settings.clock_offset
        if offset != self._aged:
            self._database.age(offset - self._aged)
            self._aged = offset

    async def rehearse(
        self, request: Request, ask: Callable[[Request], Awaitable[Answer]]
    ) -> Answer:
        """It may end its session, which is then put back."""
        before = self._database.rows(request.cookies().get(_COOKIE, ""))
        answer = await ask(request)
        self._database.put_back(before)
        return answer

    def trace(self, cookies: dict[str, str], _: str | None, __: dict[str, str]) -> str | None:
        self._look()
        return self._ledger.id_of(cookies.get(_COOKIE))

    def users(self) -> list[dict[str, str]]:
        return self._database.users()

    async def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        assert not id, "MediaWiki numbers its users"
        await asyncio.to_thread(self._put_user, email, password, name)

    async def sessions(self) -> list[dict[str, Any]]:
        self._look()
        return self._ledger.sessions()

    async def end_session(self, id: str) -> None:
        self._look()
        self._database.end(self._ledger.name_of(id))

    async def forget_sessions(self) -> None:
        self._database.forget()
        self._ledger.forget()

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """What the wiki says of who has these cookies. Only wikiToken without a session begins one
        by that, which is ended again.
        """
        cookies = given.get("cookies") or {}
        self._look()
        before = {one.name for one in self._database.sessions()}
        accepted = await asyncio.to_thread(self._is_somebody, cookies)
        for one in self._database.sessions():
            if one.name not in before:
                self._database.end(one.name)
        return {"accepted": accepted, "session": self._ledger.id_of(cookies.get(_COOKIE))}

    # Within

    def _look(self) -> None:
        self._ledger.follow(self._database.sessions())

    def _make(self) -> None:
        self._wiki.make()
        known = {user["email"] for user in self._database.users()}
        for email, password, name in FIRST:
            if email not in known:
                self._put_user(email, password, name)

    def _put_user(self, email: str, password: str, name: str) -> None:
        user_name = email[:1].upper() + email[1:]
        self._wiki.put_user(user_name, password)
        self._database.describe(user_name, email, name or email.partition("@")[0])

    def _is_somebody(self, cookies: dict[str, str]) -> bool:
        connection = BehindTheFront(HOST, self._php.port)
        with contextlib.closing(connection):
            line = "; ".join(f"{name}={value}" for name, value in cookies.items())
            connection.request("GET", _WHO, headers={"Host": HOST, "Cookie": line})
            told = json.loads(connection.getresponse().read())
        return "anon" not in told["query"]["userinfo"]

    def _command(self, port: int) -> list[str]:
        at = str(install.directory())
        return ["php", "-d", "display_errors=stderr", "-S", f"127.0.0.1:{port}", "-t", at]
