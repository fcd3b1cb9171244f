"""The addresses that a program asks, and the page that its user opens."""

from __future__ import annotations

import base64
import binascii
import html
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.servers.front.service import is_dry_run
from tests.servers.front.store import User

from . import ocs
from .store import Session, Store

Endpoint = Callable[[Request], Awaitable[Response]]
Owner = Callable[[Request, User, "Session | None"], Awaitable[Response]]


class Api:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._settings = store.options

    def application(self) -> Starlette:
        routes = [Route("/status.php", self.status)]
        for start in ("", "/index.php"):
            routes += [
                Route(f"{start}/login/v2", self._open(self.begin), methods=["POST"]),
                Route(f"{start}/login/v2/poll", self._open(self.poll), methods=["POST"]),
                Route(f"{start}/login/v2/flow/{{token}}", self._open(self.land)),
                Route(f"{start}/core/wipe/check", self._open(self.wipe), methods=["POST"]),
                Route(f"{start}/core/wipe/success", self._open(self.wiped), methods=["POST"]),
            ]
        core, cloud = "/ocs/{version}.php/core", "/ocs/{version}.php/cloud"
        routes += [
            Route(f"{cloud}/capabilities", self._open(self.capabilities)),
            Route(f"{cloud}/user", self._owned(self.user)),
            Route(f"{core}/getapppassword", self._owned(self.get_password)),
            Route(f"{core}/apppassword", self._owned(self.delete_password), methods=["DELETE"]),
            Route(f"{core}/apppassword/rotate", self._owned(self.rotate), methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def status(self, _: Request) -> Response:
        told = {"installed": True, "maintenance": self._settings.maintenance}
        return JSONResponse({**told, "versionstring": "31.0.2", "productname": "Nextcloud"})

    # Login flow v2

    async def begin(self, request: Request) -> Response:
        server = self._settings.own_address or _address(request)
        start = server if self._settings.pretty_addresses else f"{server}/index.php"
        flow = self._store.begin(request.headers.get("user-agent", ""), server)
        poll = {"token": flow.poll_token, "endpoint": f"{start}/login/v2/poll"}
        return JSONResponse({"poll": poll, "login": f"{start}/login/v2/flow/{flow.login_token}"})

    async def poll(self, request: Request) -> Response:
        token = await _token(request)
        if token is None:
            return HTMLResponse("<h1>Internal Server Error</h1>", status_code=500)
        found = self._store.collect(token)
        if found is None:
            return JSONResponse([], status_code=404)
        flow, session = found
        shown = {"server": flow.server, "loginName": session.email}
        return JSONResponse({**shown, "appPassword": session.passwords[-1]})

    async def land(self, request: Request) -> Response:
        flow = self._store.landed(request.path_params["token"])
        if flow is None:
            told = "Your login token is invalid or has expired"
            return HTMLResponse(f"<h2>Access forbidden</h2><p>{told}</p>", status_code=403)
        name = html.escape(flow.client)
        return HTMLResponse(f"<h2>Connect to your account</h2><p>Please log in before {name}</p>")

    # Remote wipe

    async def wipe(self, request: Request) -> Response:
        wanted = self._settings.wipe and self._store.live(await _token(request))
        return JSONResponse({"wipe": True} if wanted else [], status_code=200 if wanted else 404)

    async def wiped(self, request: Request) -> Response:
        session = self._store.live(await _token(request)) if self._settings.wipe else None
        if session is None:
            return JSONResponse([], status_code=404)
        if not is_dry_run(request.headers):
            self._store.end(session, "wipe")
        return JSONResponse([])

    # OCS

    async def capabilities(self, request: Request) -> Response:
        version = {"major": 31, "minor": 0, "micro": 2, "string": "31.0.2", "edition": ""}
        data = {"version": {**version, "extendedSupport": False}, "capabilities": {"core": {}}}
        return ocs.answer(request, data)

    async def user(self, request: Request, user: User, _: Session | None) -> Response:
        quota = {"free": 1000, "used": 0, "total": 1000, "relative": 0, "quota": -3}
        shown = {"enabled": True, "id": user.id, "email": user.email, "quota": quota}
        names = {"displayname": user.name, "display-name": user.name}
        return ocs.answer(request, {**shown, **names})

    async def get_password(self, request: Request, user: User, using: Session | None) -> Response:
        if using:
            return ocs.failure(
                request, 403, "You cannot request an new apppassword with an apppassword"
            )
        made = self._store.new_password(user, request.headers.get("user-agent", ""))
        return ocs.answer(request, {"apppassword": made.passwords[-1]})

    async def delete_password(self, request: Request, _: User, using: Session | None) -> Response:
        if using is None:
            return ocs.failure(request, 403, "no app password in use")
        if not is_dry_run(request.headers):
            self._store.end(using, "its own call")
        return ocs.answer(request, [])

    async def rotate(self, request: Request, _: User, using: Session | None) -> Response:
        if using is None:
            return ocs.failure(request, 403, "no app password in use")
        self._store.rotate(using)
        return ocs.answer(request, {"apppassword": using.passwords[-1]})

    # Who may

    def _open(self, endpoint: Endpoint) -> Endpoint:
        async def serve(request: Request) -> Response:
            if self._settings.maintenance:
                headers = {"X-Nextcloud-Maintenance-Mode": "1", "Retry-After": "120"}
                return HTMLResponse("<h2>Maintenance mode</h2>", 503, headers)
            if request.path_params.get("version", "v1") not in ("v1", "v2"):
                return HTMLResponse("<h2>Page not found</h2>", 404)
            return await endpoint(request)

        return serve

    def _owned(self, endpoint: Owner) -> Endpoint:
        """For who logs in with each request, and says that it is no web page's."""

        async def serve(request: Request) -> Response:
            if self._store.is_blocked():
                return ocs.failure(request, 429, "Too many requests")
            user, session = self._who(request)
            if user is None:
                if "authorization" in request.headers:
                    self._store.count(failed=True)
                return ocs.failure(request, ocs.UNAUTHORISED, "Current user is not logged in")
            if self._store.failures:
                self._store.count(failed=False)
            if request.headers.get("ocs-apirequest", "").lower() != "true":
                return JSONResponse({"message": "CSRF check failed"}, status_code=412)
            return await endpoint(request, user, session)

        return self._open(serve)

    def _who(self, request: Request) -> tuple[User | None, Session | None]:
        given = basic(request.headers.get("authorization", ""))
        if given is None:
            return None, None
        name, password = given
        session = self._store.accepted(password)
        if session:
            same = session.email.lower() == name.lower()
            return (self._store.users[session.email], session) if same else (None, None)
        if self._settings.two_factor:
            return None, None
        return self._store.check_password(name, password), None


def basic(header: str) -> tuple[str, str] | None:
    scheme, _, coded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if colon else None


def _address(request: Request) -> str:
    return f"{request.headers['x-forwarded-proto']}://{request.headers['host']}"


async def _token(request: Request) -> str | None:
    """Of a form or a JSON object."""
    fields: Any = await request.form()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            fields = await request.json()
        except ValueError:
            return None
    token = fields.get("token") if hasattr(fields, "get") else None
    return token if isinstance(token, str) else None
