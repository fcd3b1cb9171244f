"""The auth API: /v2/login, /v2/refresh, /v2/logout, /v2/person. Only the storefront calls it.

A server of its own on a port of its own; it knows nothing of the shop. Credentials are cookies.
"""

from __future__ import annotations

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.front.service import is_dry_run
from tests.servers.front.wire import cookies_of, with_cookies

from . import cookies
from .accounts import Accounts, Issued, Session


class AuthApi:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._settings = accounts.settings

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v2/login", self.log_in, methods=["POST"]),
                Route("/v2/refresh", self.refresh, methods=["POST"]),
                Route("/v2/logout", self.log_out, methods=["POST"]),
                Route("/v2/person", self.person, methods=["GET"]),
            ]
        )

    async def log_in(self, request: Request) -> Response:
        try:
            given = json.loads(await request.body())
            person = self._accounts.check_password(given["username"], given["password"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return JSONResponse({"error": "invalid_request"}, 400)
        if person is None:
            return JSONResponse({"error": "invalid_credentials"}, 401)
        lines = [*self._lines(self._accounts.begin(person)), self._line(cookies.PERSON, person.id)]
        return with_cookies(JSONResponse({"person": person.shown()}), lines)

    async def refresh(self, request: Request) -> Response:
        issued = self._accounts.renew(cookies_of(request).get(cookies.REFRESH, ""))
        if issued is None:
            return JSONResponse({"error": "invalid_refresh_token"}, 401)
        return with_cookies(JSONResponse({}), self._lines(issued))

    async def person(self, request: Request) -> Response:
        session = self._accounts.by_access(cookies_of(request).get(cookies.ACCESS, ""))
        person = self._accounts.users.get(session.email) if session else None
        if person is None:
            return JSONResponse({"error": "invalid_access_token"}, 401)
        return JSONResponse({"person": person.shown()})

    async def log_out(self, request: Request) -> Response:
        settings = self._settings
        jar = cookies_of(request)
        session = self._to_end(jar)
        status = settings.auth_status
        ends = session is not None and not is_dry_run(request.headers)
        if session and ends:
            session.logout_cookies = sorted(jar)
            self._accounts.save()
        if status >= 400:
            return JSONResponse({"error": "out_of_order"}, status)
        if session is None and settings.generation == "old":
            return JSONResponse({"error": "not_signed_in"}, 401)
        names = [cookies.ACCESS, cookies.PERSON]
        if not settings.partial_deletion:
            names.append(cookies.REFRESH)
        if session and ends:
            if settings.partial_deletion:
                self._accounts.forget_access(session)
            else:
                self._accounts.end(session, "logout")
        lines = [cookies.deletion(name, development=settings.development) for name in names]
        return with_cookies(_bodiless_or({}, status or 200), lines)

    def _to_end(self, jar: dict[str, str]) -> Session | None:
        """The live session of a logout: by its access token, or any refresh token it ever had."""
        session = self._accounts.by_access(jar.get(cookies.ACCESS, ""))
        if session is None:
            session = self._accounts.of_refresh(jar.get(cookies.REFRESH, ""))
        if (
            session is None
            or not session.alive
            or session.refresh_expires_at <= self._accounts.now()
        ):
            return None
        return session

    def _lines(self, issued: Issued) -> list[str]:
        return [
            self._line(cookies.REFRESH, issued.refresh),
            self._line(cookies.ACCESS, issued.access),
        ]

    def _line(self, name: str, value: str) -> str:
        settings = self._settings
        lifetime = settings.access_lifetime if name == cookies.ACCESS else settings.refresh_lifetime
        return cookies.of_auth(
            name, value, lifetime, self._accounts.now(), development=settings.development
        )


def _bodiless_or(value: dict[str, str], status: int) -> Response:
    return Response(status_code=status) if status in (204, 304) else JSONResponse(value, status)
