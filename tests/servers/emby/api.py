"""The HTTP interface: logins, sessions, devices."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.front.service import is_dry_run
from tests.servers.front.store import has_password
from tests.servers.mediabrowser_parts.answers import Shapes
from tests.servers.mediabrowser_parts.devices import Session, Store, User
from tests.servers.mediabrowser_parts.header import Identity, Sources, identify
from tests.servers.mediabrowser_parts.wire import NotJson, fields_of, is_json, query_of

from .settings import Settings

SOURCES = Sources(
    ("x-emby-authorization", "authorization"),
    ("emby", "mediabrowser"),
    ("x-emby-token", "x-mediabrowser-token"),
    ("api_key",),
    encoded=False,
)


class Refused(Exception):
    """With the text that is shown."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Api:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self.shapes = Shapes(store)

    def application(self) -> Starlette:
        routes = [
            Route("/users/authenticatebyname", self.log_in, methods=["POST"]),
            Route("/users/me", self.me),
            Route("/users/{id}", self.user),
            Route("/sessions", self.sessions),
            Route("/sessions/logout", self.log_out, methods=["POST"]),
            Route("/devices", self.devices),
            Route("/devices", self.delete_device, methods=["DELETE"]),
            Route("/devices/delete", self.delete_device, methods=["POST"]),
            Route("/system/info/public", self.public),
            Route("/system/info", self.system),
        ]
        handlers = {Refused: _refused, NotJson: _not_json, HTTPException: _bare}
        return Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]

    # The way in

    async def log_in(self, request: Request) -> Response:
        if not is_json(request):
            raise NotJson
        given = await fields_of(request)
        by = _identity(request)
        missing = ("client", "version", "deviceId", "device")
        values = (by.client, by.version, by.device_id, by.device)
        for name, value in zip(missing, values):
            if not value:
                raise Refused(400, f"Value cannot be null. (Parameter '{name}')")
        user = self._store.user_named(str(given.get("username") or ""))
        if user is None or not has_password(user, str(given.get("pw") or "")):
            raise Refused(401, "Invalid username or password entered.")
        if user.disabled:
            raise Refused(
                401,
                f"The {user.email} account is currently disabled. "
                "Please consult with your administrator.",
            )
        return JSONResponse(self.shapes.login(self._begin(user, by)))

    def _begin(self, user: User, by: Identity) -> Session:
        """A device is one account's: the tokens of others on it end."""
        known = None
        for old in self._store.on_device(by.device_id):
            if old.email == user.email and self._settings.reissues_token:
                known = old
            else:
                self._store.end(old, "a login with its device")
        return known or self._store.begin(user, by)

    # With a token

    async def me(self, request: Request) -> Response:
        session = self._signed_in(request)
        if not self._settings.users_me:
            raise Refused(500, "Guid should contain 32 digits with 4 dashes.")
        return JSONResponse(self.shapes.user(self._store.users[session.email]))

    async def user(self, request: Request) -> Response:
        self._signed_in(request)
        wanted = request.path_params["id"].replace("-", "")
        found = next((one for one in self._store.users.values() if one.id == wanted), None)
        if found is None:
            raise Refused(404, "User not found")
        return JSONResponse(self.shapes.user(found))

    async def sessions(self, request: Request) -> Response:
        own = self._signed_in(request)
        everybody = self.shapes.is_administrator(self._store.users[own.email])
        found = [one for one in self._alive() if everybody or one.email == own.email]
        return JSONResponse([self.shapes.session(one) for one in found])

    async def log_out(self, request: Request) -> Response:
        session = self._signed_in(request)
        if not is_dry_run(request.headers):
            self._store.end(session, "logout")
        return self._nothing()

    async def devices(self, request: Request) -> Response:
        self._administrator(request)
        items = [self.shapes.device(one) for one in self._alive()]
        return JSONResponse({"Items": items, "TotalRecordCount": len(items)})

    async def delete_device(self, request: Request) -> Response:
        self._administrator(request)
        wanted = query_of(request).get("id")
        if not wanted:
            raise Refused(400, "Value cannot be null. (Parameter 'Id')")
        found = self._store.on_device(wanted)
        if not found:
            raise Refused(404, "Device not found")
        if not is_dry_run(request.headers):
            for one in found:
                self._store.end(one, "its device was deleted")
        return self._nothing()

    async def public(self, request: Request) -> Response:
        return JSONResponse(self._system())

    async def system(self, request: Request) -> Response:
        self._signed_in(request)
        return JSONResponse({**self._system(), "HasPendingRestart": False})

    # Within

    def _system(self) -> dict[str, Any]:
        return {
            "LocalAddress": "http://192.168.0.2:8096",
            "ServerName": "home",
            "Version": self._settings.version,
            "Id": self._store.server_id,
        }

    def _signed_in(self, request: Request) -> Session:
        by = _identity(request)
        if not by.token:
            raise Refused(401, "Access token is required.")
        session = self._store.accepted(by.token)
        if session is None:
            raise Refused(401, "Access token is invalid or expired.")
        self._store.hear(session, by)
        return session

    def _administrator(self, request: Request) -> None:
        session = self._signed_in(request)
        if not self.shapes.is_administrator(self._store.users[session.email]):
            raise Refused(int(self._settings.admin_refusal), "User does not have admin access.")

    def _alive(self) -> list[Session]:
        return [one for one in self._store.sessions.values() if one.alive]

    def _nothing(self) -> Response:
        return Response(status_code=self._settings.empty_status)


def _identity(request: Request) -> Identity:
    return identify(request.headers, query_of(request), SOURCES)


def _refused(_: Request, error: Refused) -> Response:
    return Response(error.text, error.status, media_type="text/plain")


def _not_json(_: Request, error: Exception) -> Response:
    return Response("Unable to read the request.", 400, media_type="text/plain")


def _bare(_: Request, error: HTTPException) -> Response:
    return Response(status_code=error.status_code)
