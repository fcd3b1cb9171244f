"""The endpoints of OAuth and of the REST API that a session needs, and their errors."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Host, Route, Router

from tests.servers.front.request import bearer
from tests.servers.front.service import is_dry_run

from . import CLIENT_ID, GRANT
from .store import Session, Store

API = "api.real-debrid.com"
SITE = "real-debrid.com"

Endpoint = Callable[[Request], Awaitable[Response]]


class Api:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._settings = store.options
        self._asked: deque[float] = deque()

    def application(self) -> Starlette:
        api = Router(
            [
                self._route("GET", "/oauth/v2/device/code", self.code),
                self._route("GET", "/oauth/v2/device/credentials", self.credentials),
                self._route("POST", "/oauth/v2/token", self.token),
                self._route("GET", "/rest/1.0/user", self.user),
                self._route("GET", "/rest/1.0/disable_access_token", self.disable),
                self._route("GET", "/rest/1.0/time", self.time),
                self._route("GET", "/rest/1.0/time/iso", self.iso_time),
                Route("/{path:path}", self._unknown),
            ]
        )
        site = Router([Route("/{path:path}", self.page)])
        return Starlette(routes=[Host(API, api), Host(SITE, site)])

    def forget(self) -> None:
        self._asked.clear()

    # The way in

    async def code(self, request: Request) -> Response:
        asked = request.query_params
        if "client_id" not in asked:
            return _error(400, "missing_parameter", 1)
        if asked["client_id"] != CLIENT_ID:
            return _error(400, "wrong_parameter", 2)
        new = self._store.new_code(new_credentials=asked.get("new_credentials") == "yes")
        answer = {
            "device_code": new.device_code,
            "user_code": new.user_code,
            "interval": _number(self._settings.interval),
            "expires_in": _number(self._settings.code_lifetime),
            "verification_url": f"https://{SITE}/device",
        }
        if self._settings.direct_address:
            query = f"client_id={CLIENT_ID}&device_id={new.device_code}"
            answer["direct_verification_url"] = f"https://{SITE}/authorize?{query}"
        return JSONResponse(answer)

    async def credentials(self, request: Request) -> Response:
        asked = request.query_params
        if not {"client_id", "code"} <= set(asked):
            return _error(400, "missing_parameter", 1)
        code = self._store.codes.get(asked["code"])
        if asked["client_id"] != CLIENT_ID or code is None or code.expires_at <= self._store.now():
            return _undecided()
        if not code.client_id:
            return _undecided()
        return JSONResponse({"client_id": code.client_id, "client_secret": code.client_secret})

    # Tokens

    async def token(self, request: Request) -> Response:
        """The code is a device code at first, and a refresh token later."""
        asked = await request.form()
        if not {"client_id", "client_secret", "code", "grant_type"} <= set(asked):
            return _error(400, "missing_parameter", 1)
        if asked["grant_type"] != GRANT:
            return _error(400, "wrong_parameter", 2)
        code = self._store.codes.get(str(asked["code"]))
        open_to_exchange = code and code.client_id and code.expires_at > self._store.now()
        giver = code if open_to_exchange else self._store.renewable(str(asked["code"]))
        if giver is None:
            return _error(400, "wrong_parameter", 2)
        if (asked["client_id"], asked["client_secret"]) != (giver.client_id, giver.client_secret):
            return _error(403, "permission_denied", 9)
        if isinstance(giver, Session):
            return self._granted(giver, self._store.renew(giver))
        session = self._store.begin(giver)
        return self._granted(session, self._store.issue(session))

    def _granted(self, session: Session, token: str) -> Response:
        return JSONResponse(
            {
                "access_token": token,
                "expires_in": _number(self._settings.token_lifetime),
                "token_type": "Bearer",
                "refresh_token": session.refresh_tokens[-1],
            }
        )

    # With a token

    async def user(self, request: Request) -> Response:
        session = self._store.accepted(_token(request))
        if session is None:
            return _error(401, "bad_token", 8)
        if self._settings.account_locked:
            return _error(403, "permission_denied", 9)
        user = self._store.users[session.email]
        return JSONResponse(
            {
                "id": int(user.id),
                "username": user.name,
                "email": user.email,
                "points": 1000,
                "locale": "en",
                "avatar": f"https://{SITE}/images/avatars/{user.id}.png",
                "type": "premium",
                "premium": 8640000,
                "expiration": "2030-01-01T00:00:00.000Z",
            }
        )

    async def disable(self, request: Request) -> Response:
        token = _token(request)
        if self._store.accepted(token) is None:
            return _error(401, "bad_token", 8)
        if not is_dry_run(request.headers):
            self._store.disable(token or "")
        return Response(status_code=204)

    async def time(self, _: Request) -> Response:
        return PlainTextResponse(f"{self._clock():%Y-%m-%d %H:%M:%S}")

    async def iso_time(self, _: Request) -> Response:
        return PlainTextResponse(f"{self._clock():%Y-%m-%dT%H:%M:%S+0000}")

    def _clock(self) -> datetime:
        return datetime.fromtimestamp(self._store.now(), timezone.utc)

    # The rest

    async def page(self, _: Request) -> Response:
        return HTMLResponse("<title>Real-Debrid</title><p>Enter the code shown on your device</p>")

    async def _unknown(self, _: Request) -> Response:
        return _error(404, "unknown_ressource", 7)

    def _route(self, method: str, path: str, endpoint: Endpoint) -> Route:
        """Counts, and says itself when the method is wrong."""

        async def limited(request: Request) -> Response:
            now = time.monotonic()
            self._asked.append(now)
            while self._asked[0] < now - 60:
                self._asked.popleft()
            if len(self._asked) > self._settings.requests_per_minute:
                return _error(429, "too_many_requests", 34)
            if request.method != method:
                return _error(405, "method_not_allowed", 4)
            return await endpoint(request)

        return Route(path, limited, methods=["GET", "POST", "PUT", "DELETE"])


def _token(request: Request) -> str | None:
    return bearer(request.headers) or request.query_params.get("auth_token")


def _undecided() -> Response:
    return JSONResponse({"error": None, "error_code": None}, status_code=403)


def _error(status: int, name: str, code: int) -> Response:
    return JSONResponse({"error": name, "error_code": code}, status_code=status)


def _number(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else seconds
