"""The service as the front sees it: the tenant and the website, which share a store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Host, Router

from tests.servers.front.store import StoredService
from tests.servers.front.upstreams import serve_asgi
from tests.servers.person import BehindTheFront, Browser

from . import APPLICATION, CALLBACKS, CLIENT_ID, TENANT
from .application import Application
from .login import Login
from .settings import Settings
from .store import Session, Store
from .tokens import Tokens


class Service(StoredService):
    hosts = (TENANT, APPLICATION)
    shown = ("id", "email", "client_id", "alive", "ended_by", "renewals")

    def __init__(self, directory: Path) -> None:
        self.parameters = {
            "tenant": f"https://{TENANT}",
            "application": f"https://{APPLICATION}",
            "client_id": CLIENT_ID,
            "callback": CALLBACKS[CLIENT_ID],
        }
        self._grants = Store(directory, Settings())
        self._application = Application(self._grants)
        self._port = 0
        super().__init__(self._grants)

    async def start(self) -> dict[str, int]:
        tokens = Tokens(self._grants)
        tenant = Router([*Login(self._grants, tokens).routes(), *tokens.routes()])
        website = Router(self._application.routes())
        routes = [Host(TENANT, tenant), Host(APPLICATION, website)]
        self._port = await serve_asgi(Starlette(routes=routes))
        return dict.fromkeys(self.hosts, self._port)

    async def stop(self) -> None:
        pass

    async def follow_settings(self) -> None:
        pass

    async def sessions(self) -> list[dict[str, Any]]:
        """With whether the browser that it came of is still signed in."""
        known, browsers = self._grants.sessions, self._grants.browsers
        shown = await super().sessions()
        signed_in = [browsers[known[one["id"]].sid].alive for one in shown]
        return [{**one, "signed_in": yes} for one, yes in zip(shown, signed_in, strict=True)]

    async def authorize(self, given: dict[str, Any]) -> dict[str, str]:
        """As a new browser. Nobody can refuse but by closing the page."""
        return {"location": await asyncio.to_thread(self._authorize, given)}

    def _authorize(self, given: dict[str, Any]) -> str:
        browser = Browser(lambda host: BehindTheFront(host, self._port), home=TENANT)
        page = browser.open(given["url"]).checked()
        # A page for each of the two, or one for both.
        for last in ("username", "password"):
            if not page.location and last in page.forms[""].fields:
                fields = page.forms[""].fields
                who = {name: given[name] for name in ("username", "password") if name in fields}
                page = browser.submit(page, "", "action", **who)
        if not page.location:
            raise ValueError(f"the page {page.title!r} came")
        return page.location

    async def end_session(self, id: str) -> None:
        """By the dashboard: the grant and the browser's sign-in. Access tokens live on."""
        await super().end_session(id)
        self._grants.sign_out(self._grants.browsers[self._grants.sessions[id].sid])

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        held = [
            one.sid for one in self._grants.browsers.values() if one.cookie == cookies.get("auth0")
        ]
        of_browser = [one for one in self._grants.sessions.values() if one.sid in held]
        session = self._grants.of_token(bearer or cookies.get("__session"))
        session = session or self._grants.of_refresh(form.get("refresh_token") or form.get("token"))
        return session or (of_browser[-1] if of_browser else None)

    def accept(self, given: dict[str, Any]) -> Session | None:
        if "jwt" in given:
            return self._grants.accepted(given["jwt"])
        if "refresh_token" in given:
            session = self._grants.renewable(given["refresh_token"])
            spent = session and self._grants.is_spent(session, given["refresh_token"])
            return None if spent else session
        cookies = given.get("cookies") or {}
        browser = self._grants.browser(cookies.get("auth0"))
        known = self._grants.sessions.values()
        of_browser = [one for one in known if browser and browser.email and one.sid == browser.sid]
        return self._application.session(cookies.get("__session")) or next(iter(of_browser), None)
