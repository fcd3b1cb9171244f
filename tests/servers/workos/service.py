"""WorkOS and the application as the front sees them: three hosts, two servers, one store."""

from __future__ import annotations

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any, ClassVar

from cryptography.fernet import Fernet, InvalidToken
from starlette.applications import Starlette
from starlette.routing import Host, Router
from workos.session import unseal_data

from tests.servers.front.store import StoredService
from tests.servers.front.upstreams import AsgiServer, serve_asgi
from tests.servers.person import BehindTheFront, Browser

from . import application
from .api import HOST as API
from .api import Api, oauth_error
from .application import BASE, COOKIE, Account, Backend
from .authkit import AuthKit
from .devices import AUTHKIT, VERIFICATION_URI, Devices
from .settings import Settings
from .store import Refused, Session, Store

CLIENT_ID = "client_01DEMO"
_GOODBYE = f"{BASE}/goodbye"


class Service(StoredService):
    hosts = (application.HOST, API, AUTHKIT)
    parameters: ClassVar[dict[str, str]] = {
        "base": BASE,
        "client_id": CLIENT_ID,
        "return_to": _GOODBYE,
    }

    def __init__(self, directory: Path) -> None:
        self._store = Store(directory, Settings())
        super().__init__(self._store)
        self._account = _account(directory / "application.json")
        known = Devices(self._store)
        registered = {_GOODBYE, f"{BASE}/"}
        api = Api(self._store, known, CLIENT_ID, self._account.api_key, registered)
        kit = Router(AuthKit(self._store, known).routes())
        routes = [Host(AUTHKIT, kit), *api.routes()]
        site = Starlette(routes=routes, exception_handlers={Refused: oauth_error})
        self._workos = AsgiServer(site)

    async def start(self) -> dict[str, int]:
        workos = await self._workos.start()
        backend = Backend(self._account, f"http://127.0.0.1:{workos}", self._store.settings)
        django = application.application(backend, secret_key=self._account.cookie_password)
        ports = {application.HOST: await serve_asgi(django), API: workos, AUTHKIT: workos}
        await self.follow_settings()
        return ports

    async def follow_settings(self) -> None:
        await (self._workos.stop() if self._store.settings.workos_down else self._workos.start())

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        access, refresh = self._sealed(cookies)
        known = self._store
        return (
            known.session_of_access(bearer or access)
            or known.session_of_refresh(form.get("refresh_token", refresh))
            or known.sessions.get(form.get("session_id", ""))
        )

    async def sessions(self) -> list[dict[str, Any]]:
        """`ended_by`: "logout", "revoked", "reuse", or empty. `logouts` and `reuses` count what
        came after the end too."""
        names = ("id", "email", "created_at", "ended_by", "renewals", "reuses", "logouts")
        return [
            {
                **{name: getattr(session, name) for name in names},
                "alive": self._store.lives(session),
                "jwt_expires_at": session.access_expires_at,
                "expires_at": session.expires_at,
            }
            for session in self._store.sessions.values()
        ]

    async def end_session(self, id: str) -> None:
        self._store.end(self._store.sessions[id], "revoked")

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """A cookie is accepted while anything in it is: the access token or the refresh token."""
        access, refresh = self._sealed(given.get("cookies") or {})
        access = str(given.get("jwt") or access)
        refresh = str(given.get("refresh_token") or refresh)
        accepted = self._store.accepts_access(access) or self._store.accepts_refresh(refresh)
        return {"accepted": accepted, "session": self.trace({}, access, {"refresh_token": refresh})}

    async def approve(self, given: dict[str, Any]) -> dict[str, Any]:
        """{"user_code", "username", "password"}, and {"deny": true} to refuse; a user who denies
        has to sign in too, and is the viewer when none is named."""
        email = given.get("username", "viewer@example.com")
        password = given.get("password", "correct horse")
        deny = bool(given.get("deny"))
        press = "deny" if deny else "allow"
        title = await asyncio.to_thread(self._visit, given["user_code"], email, password, press)
        return {"approved": not deny, "page": title}

    def _visit(self, user_code: str, email: str, password: str, button: str) -> str:
        """Sign in, enter the code, and press a button. The title of the last page."""
        browser = Browser(lambda host: BehindTheFront(host, self._workos.port))
        try:
            page = browser.open(VERIFICATION_URI)
            page = browser.submit(page, "sign-in", email=email, password=password).checked()
            page = browser.submit(page, "device", user_code=user_code).checked()
            return browser.submit(page, "confirm", button).checked().title
        except OSError as error:
            raise ValueError("no answer") from error

    def _sealed(self, cookies: dict[str, str]) -> tuple[str, str]:
        """The access and the refresh token in the cookie; Django puts its value in quotes."""
        try:
            data = unseal_data(cookies.get(COOKIE, "").strip('"'), self._account.cookie_password)
            return str(data["access_token"]), str(data["refresh_token"])
        except (InvalidToken, ValueError, KeyError):
            return "", ""


def _account(file: Path) -> Account:
    """The application's secrets, made once."""
    if not file.exists():
        made = {
            "client_id": CLIENT_ID,
            "api_key": f"sk_test_{secrets.token_urlsafe(32)}",
            "cookie_password": Fernet.generate_key().decode("ascii"),
        }
        file.write_text(json.dumps(made), encoding="utf-8")
    return Account(**json.loads(file.read_text(encoding="utf-8")))
