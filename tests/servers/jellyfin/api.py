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

from .answers import Refused, bare, problem, refused
from .quick_connect import QuickConnect
from .settings import Settings

_PLAIN = Sources(("authorization",), ("mediabrowser",), (), ("apikey",))
_LEGACY = Sources(
    ("authorization", "x-emby-authorization"),
    ("mediabrowser", "emby"),
    ("x-emby-token", "x-mediabrowser-token"),
    ("apikey", "api_key"),
)


class Api:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self.shapes = Shapes(store)
        self.quick_connect = QuickConnect(settings)
        # Sessions that were heard of since the server started.
        self._active: set[str] = set()

    def application(self) -> Starlette:
        routes = [
            Route("/users/authenticatebyname", self.log_in, methods=["POST"]),
            Route("/users/authenticatewithquickconnect", self.redeem, methods=["POST"]),
            Route("/quickconnect/enabled", self.enabled),
            Route("/quickconnect/initiate", self.initiate, methods=["POST", "GET"]),
            Route("/quickconnect/connect", self.connect),
            Route("/quickconnect/authorize", self.authorize, methods=["POST"]),
            Route("/users/me", self.me),
            Route("/users/{id}", self.user),
            Route("/sessions", self.sessions),
            Route("/sessions/logout", self.log_out, methods=["POST"]),
            Route("/devices", self.devices),
            Route("/devices", self.delete_device, methods=["DELETE"]),
            Route("/system/info/public", self.public),
            Route("/system/info", self.system),
        ]
        return Starlette(
            routes=routes,
            exception_handlers={Refused: refused, HTTPException: bare, NotJson: _not_json},
        )

    def sources(self) -> Sources:
        return _LEGACY if self._settings.legacy_authorization else _PLAIN

    # Ways in

    async def log_in(self, request: Request) -> Response:
        if not is_json(request):
            return problem(415)
        given = await fields_of(request)
        name, password = given.get("username"), given.get("pw") or ""
        if not isinstance(name, (str, type(None))) or not isinstance(password, str):
            return problem(400, request=["The request field is required."])
        by = self._identity(request)
        if not by.complete or not (name or "").strip():
            raise Refused(400)
        user = self._store.user_named(name or "")
        if user is not None and user.disabled:
            raise Refused(403)
        if user is None or not has_password(user, password):
            self._count_failure(user)
            raise Refused(401)
        user.failures = 0
        return JSONResponse(self.begin(user, by))

    def begin(self, user: User, by: Identity) -> dict[str, Any]:
        """Whatever this user had on this device ends; before 10.9, what everybody else had."""
        limit = self._settings.max_active_sessions
        active = [one for one in self._heard_of() if one.email == user.email]
        if limit and len(active) >= limit:
            raise Refused(403)
        shared, known = not self._settings.one_session_per_device, None
        for old in self._store.on_device(by.device_id):
            if (old.email == user.email) is shared:
                self._end(old, "a login with its device")
            elif not shared:
                known = old
        session = known or self._store.begin(user, by)
        self._active.add(session.id)
        return self.shapes.login(session)

    def _count_failure(self, user: User | None) -> None:
        if user is None:
            return
        user.failures += 1
        limit = self._settings.login_attempts_before_lockout
        user.disabled = limit > 0 and user.failures >= limit
        self._store.save()

    async def enabled(self, request: Request) -> Response:
        return JSONResponse(self._settings.quick_connect)

    async def initiate(self, request: Request) -> Response:
        by = self._identity(request)
        if not by.complete:
            raise Refused(400)
        if not self._settings.quick_connect:
            return JSONResponse("Quick connect is disabled", 401)
        return JSONResponse(self.quick_connect.initiate(by).shown())

    async def connect(self, request: Request) -> Response:
        secret = query_of(request).get("secret")
        if not secret:
            return problem(400, secret=["The secret field is required."])
        if not self._settings.quick_connect:
            return JSONResponse("Quick connect is disabled", 401)
        code = self.quick_connect.of_secret(secret)
        if code is None:
            return JSONResponse("Unknown secret", 404)
        return JSONResponse(code.shown())

    async def authorize(self, request: Request) -> Response:
        session = self._signed_in(request)
        wanted = query_of(request).get("code")
        if not wanted:
            return problem(400, code=["The code field is required."])
        self.allow(wanted, self._store.users[session.email])
        return JSONResponse(True)

    def allow(self, wanted: str, user: User) -> None:
        """Raises Refused."""
        if not self._settings.quick_connect:
            raise Refused(401)
        code = self.quick_connect.of_code(wanted)
        if code is None:
            raise Refused(404)
        if code.authenticated:
            raise Refused(500)
        self.quick_connect.allow(code, lambda by: self.begin(user, by))

    async def redeem(self, request: Request) -> Response:
        if not is_json(request):
            return problem(415)
        secret = (await fields_of(request)).get("secret")
        if not isinstance(secret, str) or not secret:
            return problem(400, Secret=["The Secret field is required."])
        if not self._settings.quick_connect:
            raise Refused(401)
        answer = self.quick_connect.answer(secret)
        if answer is None:
            raise Refused(404)
        return JSONResponse(answer)

    # With a token

    async def me(self, request: Request) -> Response:
        session = self._signed_in(request)
        return JSONResponse(self.shapes.user(self._store.users[session.email]))

    async def user(self, request: Request) -> Response:
        self._signed_in(request)
        wanted = request.path_params["id"].replace("-", "")
        found = next((one for one in self._store.users.values() if one.id == wanted), None)
        if found is None:
            return JSONResponse("User not found", 404)
        return JSONResponse(self.shapes.user(found))

    async def sessions(self, request: Request) -> Response:
        """Not tokens: what has been active since the server started."""
        own = self._signed_in(request)
        everybody = self.shapes.is_administrator(self._store.users[own.email])
        found = [one for one in self._heard_of() if everybody or one.email == own.email]
        if device_id := query_of(request).get("deviceid"):
            found = [one for one in found if one.device_id == device_id]
        return JSONResponse([self.shapes.session(one) for one in found])

    async def log_out(self, request: Request) -> Response:
        session = self._signed_in(request)
        if not is_dry_run(request.headers):
            self._end(session, "logout")
        return Response(status_code=204)

    async def devices(self, request: Request) -> Response:
        self._administrator(request)
        found = [one for one in self._store.sessions.values() if one.alive]
        items = [self.shapes.device(one) for one in sorted(found, key=lambda one: -one.seen_at)]
        return JSONResponse({"Items": items, "TotalRecordCount": len(items), "StartIndex": 0})

    async def delete_device(self, request: Request) -> Response:
        self._administrator(request)
        wanted = query_of(request).get("id")
        if not wanted:
            return problem(400, id=["The id field is required."])
        found = self._store.on_device(wanted)
        if not found:
            return problem(404)
        if not is_dry_run(request.headers):
            for one in found:
                self._end(one, "its device was deleted")
        return Response(status_code=204)

    async def public(self, request: Request) -> Response:
        return JSONResponse(self._system())

    async def system(self, request: Request) -> Response:
        self._signed_in(request)
        return JSONResponse({**self._system(), "HasPendingRestart": False, "IsShuttingDown": False})

    # Within

    def _system(self) -> dict[str, Any]:
        return {
            "LocalAddress": "http://192.168.0.2:8096",
            "ServerName": "home",
            "Version": self._settings.version,
            "ProductName": "Jellyfin Server",
            "OperatingSystem": "",
            "Id": self._store.server_id,
            "StartupWizardCompleted": True,
        }

    def _identity(self, request: Request) -> Identity:
        return identify(request.headers, query_of(request), self.sources())

    def _signed_in(self, request: Request) -> Session:
        """Raises a 401 without a body."""
        by = self._identity(request)
        session = self._store.accepted(by.token)
        if session is None:
            raise HTTPException(401)
        self._active.add(session.id)
        self._store.hear(session, by)
        return session

    def _administrator(self, request: Request) -> None:
        session = self._signed_in(request)
        if not self.shapes.is_administrator(self._store.users[session.email]):
            raise HTTPException(403)

    def _heard_of(self) -> list[Session]:
        known = self._store.sessions.values()
        return [one for one in known if one.alive and one.id in self._active]

    def _end(self, session: Session, by: str) -> None:
        self._store.end(session, by)
        # Whoever else is on this device is not listed before he is heard of again.
        for other in self._store.on_device(session.device_id):
            self._active.discard(other.id)


def _not_json(_: Request, error: Exception) -> Response:
    return problem(400, request=["The request field is required."])
