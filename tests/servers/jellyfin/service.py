"""What the front asks of the Jellyfin server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.servers.front import store
from tests.servers.front.store import has_password
from tests.servers.front.upstreams import serve_asgi
from tests.servers.mediabrowser_parts.devices import SHOWN, Session, Store, User
from tests.servers.mediabrowser_parts.header import identify
from tests.servers.mediabrowser_parts.wire import AnyCase

from .answers import Refused
from .api import Api
from .settings import Settings

HOST = "jellyfin.home-demo.example"
# Its name at home, where it has no certificate.
LAN = "jellyfin.local"


class Service(store.StoredService):
    hosts = (HOST, LAN)
    shown = SHOWN

    def __init__(self, directory: Path) -> None:
        self.parameters = {"base": f"https://{HOST}"}
        settings = Settings()
        self._store = Store(directory / "state.json", settings, Session, User)
        super().__init__(self._store)
        self._api = Api(self._store, settings)
        self._configuration = settings

    async def start(self) -> dict[str, int]:
        await self.follow_settings()
        return dict.fromkeys(
            self.hosts, await serve_asgi(_Beneath(self._api.application(), self._configuration))
        )

    async def follow_settings(self) -> None:
        self.parameters = {"base": f"https://{HOST}{self._configuration.base_path}"}
        self._api.shapes.administrator = self._configuration.administrator

    def credential(self, headers: Mapping[str, str]) -> str | None:
        return identify(headers, {}, self._api.sources()).token or None

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        given = {name.lower(): text for name, text in form.items()}
        queries = self._api.sources().token_queries
        token = bearer or next((given[name] for name in queries if given.get(name)), None)
        return self._store.of_token(token)

    def accept(self, given: dict[str, Any]) -> Session | None:
        return self._store.accepted(given.get("jwt"))

    async def forget_sessions(self) -> None:
        await super().forget_sessions()
        self._api.quick_connect.forget()

    async def approve(self, given: dict[str, Any]) -> None:
        """A viewer cannot refuse: with `deny` he turns away, and the code goes by itself."""
        code = self._api.quick_connect.of_code(given["user_code"])
        if code is None:
            raise ValueError("no such code")
        if given.get("deny"):
            return
        user = self._store.user_named(given["username"])
        if user is None or user.disabled or not has_password(user, given["password"]):
            raise ValueError("wrong name or password")
        try:
            self._api.allow(code.code, user)
        except Refused as error:
            raise ValueError(f"refused with {error.status}") from error


class _Beneath:
    """The application at the path that the settings name; what is not there is sent there."""

    def __init__(self, application: ASGIApp, settings: Settings) -> None:
        self._application = AnyCase(application)
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        base, path = self._settings.base_path, scope["path"]
        if not f"{path.lower()}/".startswith(f"{base.lower()}/"):
            await RedirectResponse(f"{base}/web/", 302)(scope, receive, send)
            return
        beneath = {**scope, "path": path[len(base) :] or "/"}
        await self._application(beneath, receive, send)
