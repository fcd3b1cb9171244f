"""api.github.com: the user, and what an application or anybody may revoke."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.servers.front.service import is_dry_run

from . import CLIENT_ID, CLIENT_SECRET
from .store import Store

_DOCUMENTATION = "https://docs.github.com/rest"
_VERSIONS = ("2022-11-28", "2026-03-10")
_REVOCABLE = ("ghp_", "github_pat_")
_OF_APPS = ("gho_", "ghu_", "ghr_")

Endpoint = Callable[[Request], Awaitable[Response]]


class Rest:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._settings = store.options
        self._revocations: deque[float] = deque()

    def routes(self) -> list[Route]:
        app = "/applications/{client_id}"
        return [
            Route("/user", _admitted(self.user), methods=["GET"]),
            Route(f"{app}/token", _admitted(self.token), methods=["POST", "DELETE"]),
            Route(f"{app}/grant", _admitted(self.grant), methods=["DELETE"]),
            Route("/credentials/revoke", _admitted(self.revoke), methods=["POST"]),
            Route("/{path:path}", _admitted(self._unknown)),
        ]

    def forget(self) -> None:
        self._revocations.clear()

    async def _unknown(self, _: Request) -> Response:
        return _error(404, "Not Found")

    async def user(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not given:
            return _error(401, "Requires authentication")
        session = self._store.accepted(token_of(given))
        if session is None:
            return _error(401, "Bad credentials")
        user = self._store.users[session.email]
        told = {"user", "user:email"} & set(session.scope.split(","))
        shown = {
            "login": f"user-{user.id}",
            "id": int(user.id),
            "url": f"https://api.github.com/users/user-{user.id}",
            "type": "User",
            "site_admin": False,
            "name": user.name,
            "email": user.email if told else None,
        }
        return JSONResponse(shown, headers={"x-oauth-scopes": session.scope.replace(",", ", ")})

    # By the application, with its secret

    async def token(self, request: Request) -> Response:
        if not _is_application(request):
            return _error(401, "Bad credentials")
        token = (await _document(request)).get("access_token")
        if not isinstance(token, str):
            return _error(422, "Validation Failed")
        session = self._store.accepted(token)
        if session is None:
            return _error(404, "Not Found")
        if request.method == "POST":
            return JSONResponse({"token": token, "app": {"client_id": CLIENT_ID}})
        if not is_dry_run(request.headers):
            self._store.end_token(session)
        return Response(status_code=204)

    async def grant(self, request: Request) -> Response:
        if not _is_application(request):
            return _error(401, "Bad credentials")
        token = (await _document(request)).get("access_token")
        session = self._store.accepted(token) if isinstance(token, str) else None
        if session is None:
            return _error(422, "Validation Failed")
        if not is_dry_run(request.headers):
            self._store.end_grant(session.email)
        return Response(status_code=204)

    # By anybody, without saying who

    async def revoke(self, request: Request) -> Response:
        if "authorization" in request.headers:
            return _error(403, "This endpoint does not accept authenticated requests")
        now = time.monotonic()
        while self._revocations and self._revocations[0] < now - 3600:
            self._revocations.popleft()
        if len(self._revocations) >= self._settings.revocations_per_hour:
            return _error(403, "API rate limit exceeded", {"x-ratelimit-remaining": "0"})
        self._revocations.append(now)
        listed = (await _document(request)).get("credentials")
        texts = isinstance(listed, list) and all(isinstance(one, str) for one in listed)
        if not (texts and listed and len(listed) <= 1000):
            return _error(422, "Validation Failed")
        kinds = _REVOCABLE + (_OF_APPS if self._settings.revokes_app_tokens else ())
        if not all(one.startswith(kinds) for one in listed):
            return _error(422, "Validation Failed")
        if not is_dry_run(request.headers):
            for one in listed:
                self._store.revoke(one)
        return JSONResponse({}, status_code=202)


def token_of(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "token") else ""


def _admitted(endpoint: Endpoint) -> Endpoint:
    """What is asked of every request."""

    async def admit(request: Request) -> Response:
        if not request.headers.get("user-agent"):
            told = "Request forbidden by administrative rules. Please make sure your request has a"
            return PlainTextResponse(f"{told} User-Agent header", status_code=403)
        if request.headers.get("x-github-api-version", _VERSIONS[0]) not in _VERSIONS:
            return _error(400, "The requested API version is not supported")
        return await endpoint(request)

    return admit


def _is_application(request: Request) -> bool:
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    try:
        given = base64.b64decode(coded, validate=True)
    except binascii.Error:
        return False
    right = f"{CLIENT_ID}:{CLIENT_SECRET}".encode()
    known = request.path_params["client_id"] == CLIENT_ID
    return scheme.lower() == "basic" and known and hmac.compare_digest(given, right)


async def _document(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(await request.body())
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    told = {"message": message, "documentation_url": _DOCUMENTATION, "status": str(status)}
    return JSONResponse(told, status, headers)
