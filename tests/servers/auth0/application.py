"""The website: the callback of the native application, and a server with a session of its own.

Its server begins logins, exchanges their codes, and keeps what it got behind the cookie
`__session`, as Auth0's packages for web frameworks do.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.servers.front.service import is_dry_run

from . import CALLBACKS, LOGGED_OUT, SITE_ID, TENANT
from .store import Session, Store

_COOKIE: dict[str, Any] = {"path": "/", "secure": True, "httponly": True, "samesite": "lax"}


class Application:
    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self) -> list[Route]:
        return [
            Route("/", self.page),
            Route("/callback", self.page),
            Route("/auth/login", self.log_in),
            Route("/auth/callback", self.call_back),
            Route("/auth/profile", self.profile),
            Route("/auth/logout", self.log_out),
        ]

    async def page(self, _: Request) -> Response:
        return HTMLResponse("<!DOCTYPE html><title>Demo</title><p>Welcome</p>")

    async def log_in(self, _: Request) -> Response:
        state = secrets.token_urlsafe(32)
        asked = {"client_id": SITE_ID, "response_type": "code", "state": state}
        asked |= {
            "redirect_uri": CALLBACKS[SITE_ID],
            "scope": "openid profile email offline_access",
        }
        answer = RedirectResponse(f"https://{TENANT}/authorize?{urlencode(asked)}", 307)
        answer.set_cookie("__txn", state, 3600, **_COOKIE)
        return answer

    async def call_back(self, request: Request) -> Response:
        given = request.query_params
        code = self._store.codes.get(given.get("code", ""))
        known = bool(given.get("state")) and given.get("state") == request.cookies.get("__txn")
        if not known or code is None or code.asked["client_id"] != SITE_ID:
            return HTMLResponse("An error occurred while trying to log in.", 500)
        session = self._store.redeem(code)
        token = f"site.{secrets.token_urlsafe(90)}"
        self._store.keep(session, token)
        answer = RedirectResponse("/", 307)
        answer.set_cookie("__session", token, 259_200, **_COOKIE)
        answer.delete_cookie("__txn", **_COOKIE)
        return answer

    async def profile(self, request: Request) -> Response:
        session = self.session(request.cookies.get("__session"))
        if session is None:
            return JSONResponse({"error": "not authenticated"}, 401)
        user = self._store.users[session.email]
        return JSONResponse({"sub": f"auth0|{user.id}", "name": user.name, "email": user.email})

    async def log_out(self, request: Request) -> Response:
        """Its own session ends here; Auth0's does where this leads."""
        session = self.session(request.cookies.get("__session"))
        if session and not is_dry_run(request.headers):
            self._store.end(session, "the website")
        query = urlencode({"client_id": SITE_ID, "returnTo": LOGGED_OUT})
        answer = RedirectResponse(f"https://{TENANT}/v2/logout?{query}", 307)
        answer.delete_cookie("__session", **_COOKIE)
        return answer

    def session(self, cookie: str | None) -> Session | None:
        session = self._store.accepted(cookie)
        ours = session and session.alive and (cookie or "").startswith("site.")
        return session if ours else None
