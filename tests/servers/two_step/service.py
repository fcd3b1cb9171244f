"""The service: its routes, and what the front asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.servers.front import store
from tests.servers.front.request import bearer
from tests.servers.front.service import is_dry_run
from tests.servers.front.store import User
from tests.servers.front.upstreams import serve_asgi

from .store import Session, Settings, Store

HOST = "id.two-step-demo.example"
_SIGN_IN = (
    '<form method=post><input type=hidden name=state value="s&amp;1">'
    "<input name=login><input name=pass type=password></form>"
)
_CODE = (
    "<form method=post><p>Enter your code</p><input type=hidden name=csrf value={ticket}>"
    "<input name=code inputmode=numeric></form>"
)
_WRONG = "<p class='note wrong'>That is not right.</p>"


class Service(store.StoredService):
    hosts = (HOST,)
    shown = ("id", "email", "alive", "asks", "mailed", "wrong")

    def __init__(self, directory: Path) -> None:
        self.parameters: dict[str, str] = {}
        self._store = Store(directory / "state.json", Settings(), Session, User)
        super().__init__(self._store)
        both = ["GET", "POST"]
        routes = [
            Route("/v1/login", self.log_in, methods=["POST"]),
            Route("/v1/code", self.take_code, methods=["POST"]),
            Route("/v1/logout", self.log_out, methods=["POST"]),
            Route("/v1/me", self.me),
            Route("/signin", self.sign_in, methods=both),
            Route("/code", self.code, methods=both),
            Route("/home", lambda _: HTMLResponse("<p>welcome</p>")),
        ]
        self._application = Starlette(routes=routes)

    # In JSON

    async def log_in(self, request: Request) -> Response:
        given = await request.json()
        user = self._store.check_password(given.get("user", ""), given.get("password", ""))
        if user is None:
            return JSONResponse({"error": "refused"}, 401)
        session = self._store.begin(user.email)
        answer = JSONResponse({"ask": session.asks, "ticket": session.ticket})
        return _with_cookie(answer, "sid", session.id)

    async def take_code(self, request: Request) -> Response:
        given = await request.json()
        session = self._store.of_ticket(given.get("ticket", ""))
        if session is None:
            return JSONResponse({"error": "no such ticket"}, 400)
        became = self._store.take_code(session, given.get("code", ""))
        if became == "late":
            return JSONResponse({"error": "late"}, 410)
        if became == "wrong":
            return JSONResponse({"error": "wrong", "ticket": session.ticket}, 403)
        lifetime = int(self._store.settings.token_lifetime)
        tokens = {"access_token": session.token, "expires_in": lifetime}
        return JSONResponse({**tokens, "user": self._user(session)})

    async def log_out(self, request: Request) -> Response:
        session = self._store.of_cookie(request.cookies)
        if session is None or not session.alive:
            return JSONResponse({"error": "nobody"}, 401)
        if not is_dry_run(request.headers):
            self._store.end(session, "logout")
        answer = JSONResponse({"state": "ended"})
        for name in ("sid", "token"):
            answer.delete_cookie(name, secure=True)
        return answer

    async def me(self, request: Request) -> Response:
        token = bearer(request.headers) or request.cookies.get("token")
        session = self._store.accepted(token)
        if session is None:
            return JSONResponse({"error": "nobody"}, 401)
        return JSONResponse(self._user(session))

    # By pages

    async def sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return HTMLResponse(_SIGN_IN)
        given = await _form(request)
        user = self._store.check_password(given.get("login", ""), given.get("pass", ""))
        if user is None or given.get("state") != "s&1":
            return HTMLResponse(_WRONG + _SIGN_IN)
        session = self._store.begin(user.email)
        return _with_cookie(RedirectResponse("/code", 303), "sid", session.id)

    async def code(self, request: Request) -> Response:
        session = self._store.of_cookie(request.cookies)
        if session is None or not session.alive:
            return RedirectResponse("/signin", 303)
        page = ""
        if request.method == "POST":
            given = await _form(request)
            is_ours = given.get("csrf") == session.ticket
            became = self._store.take_code(session, given.get("code", "")) if is_ours else "late"
            if became == "late":
                return RedirectResponse("/signin", 303)
            if became == "right":
                return _with_cookie(RedirectResponse("/home", 303), "token", session.token)
            page = _WRONG
        return HTMLResponse(page + _CODE.format(ticket=session.ticket))

    # What the front asks

    async def start(self) -> dict[str, int]:
        return dict.fromkeys(self.hosts, await serve_asgi(self._application))

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        return self._store.of_cookie(cookies) or self._store.of_token(bearer)

    def accept(self, given: dict[str, Any]) -> Session | None:
        cookies = given.get("cookies", {})
        return self._store.accepted(given.get("jwt") or cookies.get("token"))

    # Within

    def _user(self, session: Session) -> dict[str, str]:
        user = self._store.users[session.email]
        return {"id": user.id, "email": user.email, "name": user.name}


def _with_cookie(answer: Response, name: str, value: str) -> Response:
    answer.set_cookie(name, value, secure=True, httponly=True)
    return answer


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True))
