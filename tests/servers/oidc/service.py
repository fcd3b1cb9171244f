"""The issuer as the front sees it: a process of Node, asked by lines over its standard input."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import shutil
import urllib.parse
from pathlib import Path
from typing import Any

from tests.servers.front.service import Service as FrontService
from tests.servers.person import BehindTheFront, Browser, Page

from . import install
from .settings import Settings

HOST = "op.oidc-demo.example"
ISSUER = f"https://{HOST}"


class Service(FrontService):
    hosts = (HOST,)

    def __init__(self, directory: Path) -> None:
        self.parameters = {"issuer": ISSUER, "client_id": "sessionkeeper"}
        self.settings = Settings()
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self._one_by_one = asyncio.Lock()
        self._asked = 0
        self._port = 0

    async def start(self) -> dict[str, int]:
        await asyncio.to_thread(install.install)
        node = shutil.which("node")
        assert node is not None
        self._process = await asyncio.create_subprocess_exec(
            node,
            str(install.HERE / "server.mjs"),
            str(self._directory),
            ISSUER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 26,
        )
        self._port = (await self._line())["port"]
        await self.follow_settings()
        return {HOST: self._port}

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 2)
        except asyncio.TimeoutError:
            process.kill()
            await process.wait()

    async def follow_settings(self) -> None:
        await self._ask("settings", **self.settings.as_dict())

    async def trace(
        self, _: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> str | None:
        found: str | None = await self._ask("trace", bearer=bearer, form=form)
        return found

    async def users(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = await self._ask("users")
        return found

    async def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        await self._ask("add_user", email=email, password=password, id=id, name=name)

    async def sessions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await self._ask("logins")
        return found

    async def end_session(self, id: str) -> None:
        if not await self._ask("end", id=id):
            raise KeyError(id)

    async def forget_sessions(self) -> None:
        await self._ask("forget")

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """What the introspection endpoint says of a token; "jwt" is the access token too."""
        names = ("refresh_token", "access_token", "jwt")
        token = next((given[name] for name in names if given.get(name)), None)
        if token is None:
            return {"accepted": False, "session": None}
        form = {"token": token, "client_id": "stand-in", "client_secret": await self._ask("secret")}
        answer = await asyncio.to_thread(self._introspect, form)
        session = await self._ask("trace", form={"token": token})
        return {"accepted": answer.get("active") is True, "session": session}

    async def approve(self, given: dict[str, Any]) -> dict[str, Any]:
        """As a new browser."""
        await asyncio.to_thread(_approve, Browser(self._connect), f"{ISSUER}/device", given)
        return {}

    async def authorize(self, given: dict[str, Any]) -> dict[str, str]:
        """As a new browser."""
        browser = Browser(self._connect, home=HOST)
        return {"location": await asyncio.to_thread(_authorize, browser, given)}

    # Within

    def _introspect(self, form: dict[str, str]) -> dict[str, Any]:
        connection = self._connect(HOST)
        with contextlib.closing(connection):
            headers = {"Host": HOST, "Content-Type": "application/x-www-form-urlencoded"}
            body = urllib.parse.urlencode(form)
            connection.request("POST", "/token/introspection", body, headers)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer

    def _connect(self, host: str) -> http.client.HTTPConnection:
        return BehindTheFront(host, self._port)

    async def _ask(self, wish: str, **given: Any) -> Any:
        async with self._one_by_one:
            assert self._process is not None
            assert self._process.stdin is not None
            self._asked += 1
            line = json.dumps({"wish": wish, "number": self._asked, **given})
            self._process.stdin.write(line.encode() + b"\n")
            # An older answer is one that nobody waits for any more.
            while (answer := await self._line())["number"] != self._asked:
                pass
            if "error" in answer:
                raise ValueError(answer["error"])
            return answer["result"]

    async def _line(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("oidc-provider ended; its log says why")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _approve(browser: Browser, address: str, given: dict[str, Any]) -> None:
    """Approve {"user_code", "username", "password"}, or refuse with "deny": on the page of the
    code, or, given a name and a password, on the last one.

    Raises ValueError with what the page says.
    """
    deny = bool(given.get("deny"))
    page = browser.open(address)
    page = browser.submit(page, "op.deviceInputForm", user_code=given["user_code"])
    _expect(page, "Confirm device")
    if deny and "username" not in given:
        _expect(browser.submit(page, "op.deviceConfirmForm", "abort"), "Enter code")
        return
    page = browser.submit(page, "op.deviceConfirmForm")
    _expect(page, "Sign in")
    who = {name: given[name] for name in ("username", "password")}
    page = browser.submit(page, "login", **who)
    _expect(page, "Allow access")
    page = browser.submit(page, "abort" if deny else "consent")
    _expect(page, "Enter code" if deny else "Signed in")


def _authorize(browser: Browser, given: dict[str, Any]) -> str:
    """Where the browser is led back to, by the pages or at once."""
    page = browser.open(given["url"])
    if not page.location:
        _expect(page, "Sign in")
        page = browser.submit(page, "login", username=given["username"], password=given["password"])
        _expect(page, "Allow access")
        page = browser.submit(page, "abort" if given.get("deny") else "consent")
    if not page.location:
        raise ValueError(page.error or f"the page {page.title!r} came")
    return page.location


def _expect(page: Page, title: str) -> None:
    if page.title != title:
        raise ValueError(page.error or f"the page {page.title!r} came, not {title!r}")
