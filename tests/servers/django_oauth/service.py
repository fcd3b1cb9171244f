"""The issuer as the front sees it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection

from tests.servers.front.service import Service as FrontService
from tests.servers.front.upstreams import serve_asgi
from tests.servers.person import BehindTheFront, Browser, Page

from . import application
from .application import CLIENT_ID, DEVICE_PAGE, HOST, ISSUER
from .settings import Settings

T = TypeVar("T")


class Service(FrontService):
    hosts = (HOST,)
    parameters: ClassVar[dict[str, str]] = {"issuer": ISSUER, "client_id": CLIENT_ID}

    def __init__(self, directory: Path) -> None:
        self.settings = Settings()
        self._directory = directory
        self._port = 0

    async def start(self) -> dict[str, int]:
        self._port = await serve_asgi(await asyncio.to_thread(self._set_up))
        return {HOST: self._port}

    def _set_up(self) -> Any:
        keys = _keys(self._directory / "keys.json")
        django = application.application(self._directory, settings=self.settings, **keys)
        from . import logins

        self._logins = logins
        logins.add_first()
        connection.close()
        return django

    async def follow_settings(self) -> None:
        application.follow(self.settings)

    async def trace(
        self, _: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> str | None:
        return await self._ask(lambda: self._trace(bearer, form))

    def _trace(self, bearer: str | None, form: dict[str, str]) -> str | None:
        given = (form.get("refresh_token"), form.get("token"), bearer)
        return next(filter(None, map(self._logins.family_of, filter(None, given))), None)

    async def users(self) -> list[dict[str, str]]:
        return await self._ask(self._logins.users)

    async def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        assert not id, "Django numbers its users"
        await self._ask(lambda: self._logins.add_user(email, password, name))

    async def sessions(self) -> list[dict[str, Any]]:
        return await self._ask(self._logins.sessions)

    async def end_session(self, id: str) -> None:
        await self._ask(lambda: self._logins.end(id))

    async def forget_sessions(self) -> None:
        await self._ask(self._logins.forget)

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """Access tokens are no JWTs here; "jwt" means one all the same."""
        access, refresh = given.get("jwt"), given.get("refresh_token")
        accepted = await self._ask(lambda: self._logins.accepts(access, refresh))
        return {
            "accepted": accepted,
            "session": await self._ask(lambda: self._logins.family_of(access or refresh)),
        }

    async def approve(self, given: dict[str, Any]) -> dict[str, Any]:
        """As a new browser."""
        await asyncio.to_thread(self._approve, given)
        return {}

    def _approve(self, given: dict[str, Any]) -> None:
        browser = Browser(lambda host: BehindTheFront(host, self._port))
        who = {
            "username": given.get("username", "viewer@example.com"),
            "password": given.get("password", "correct horse"),
        }
        page = browser.submit(browser.open(DEVICE_PAGE), "login", **who).checked()
        page = browser.submit(page, "", user_code=given["user_code"]).checked()
        _expect(page, "Accept or Deny")
        action = "deny" if given.get("deny") else "accept"
        page = browser.open(page.url, {**page.forms[""].fields, "action": action}).checked()
        _expect(page, "Device")

    async def authorize(self, given: dict[str, Any]) -> dict[str, str]:
        """As a new browser."""
        return {"location": await asyncio.to_thread(self._authorize, given)}

    def _authorize(self, given: dict[str, Any]) -> str:
        browser = Browser(lambda host: BehindTheFront(host, self._port), home=HOST)
        page = browser.open(given["url"])
        if not page.location:
            who = {name: given[name] for name in ("username", "password")}
            page = browser.submit(page.checked(), "login", **who).checked()
        if not page.location:
            fields = dict(page.forms["authorizationForm"].fields)
            if given.get("deny"):
                # The button that is not pressed.
                del fields["allow"]
            page = browser.open(page.url, fields).checked()
        if not page.location:
            raise ValueError(f"the page {page.title!r} came")
        return page.location

    async def _ask(self, work: Callable[[], T]) -> T:
        """In a thread, as Django wants it."""

        def run() -> T:
            try:
                return work()
            finally:
                connection.close()

        return await asyncio.to_thread(run)


def _expect(page: Page, title: str) -> None:
    if page.title != title:
        raise ValueError(f"the page {page.title!r} came, not {title!r}")


def _keys(file: Path) -> dict[str, str]:
    """Made once."""
    if not file.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        made = {"secret_key": secrets.token_urlsafe(32), "signing_key": pem.decode("ascii")}
        file.write_text(json.dumps(made), encoding="utf-8")
    found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return found
