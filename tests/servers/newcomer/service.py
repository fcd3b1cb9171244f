"""The service: its routes, its state, and what the front asks."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Route, Router

from tests.servers.front import settings, store
from tests.servers.front.request import bearer
from tests.servers.front.service import is_dry_run
from tests.servers.front.store import User
from tests.servers.front.upstreams import serve_asgi

REGION = "north"
SIGN_IN = f"signin.{REGION}.newcomer-demo.example"
API = f"api.{REGION}.newcomer-demo.example"


@dataclass
class Settings(settings.Settings):
    token_lifetime: float = 600
    # The logout answers "kept" and does nothing.
    keeps_sessions: bool = False


@dataclass
class Session:
    id: str
    email: str
    expires_at: float = 0
    alive: bool = True
    # Newest last. A bearer token is good until it ends; of the others only the newest is.
    bearers: dict[str, float] = field(default_factory=dict)
    agains: list[str] = field(default_factory=list)


class Store(store.Store[User, Session]):
    def end(self, session: Session, by: str) -> None:
        session.alive = False
        self.save()

    def issue(self, session: Session) -> dict[str, Any]:
        token, again = secrets.token_hex(16), secrets.token_hex(16)
        lifetime = self.settings.token_lifetime
        session.expires_at = session.bearers[token] = self.now() + lifetime
        session.agains.append(again)
        self.sessions[session.id] = session
        self.save()
        return {"bearer": token, "again": again, "ttl": int(lifetime)}

    def siblings(self, session: Session) -> list[Session]:
        found = self.sessions.values()
        return [one for one in found if one.alive and one.email == session.email]

    def of_bearer(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.bearers), None)

    def of_again(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if token in one.agains), None)

    def accepted(self, token: str | None) -> Session | None:
        session = self.of_bearer(token)
        if session is None or token is None or not session.alive:
            return None
        return session if session.bearers[token] > self.now() else None


class Service(store.StoredService):
    hosts = (SIGN_IN, API)
    shown = ("id", "email", "alive", "expires_at")

    def __init__(self, directory: Path) -> None:
        self.parameters = {"region": REGION}
        self._store = Store(directory / "state.json", Settings(), Session, User)
        super().__init__(self._store)
        sign_in = [
            Route("/v3/signin", self.sign_in, methods=["POST"]),
            Route("/v3/renew", self.renew, methods=["POST"]),
        ]
        api = [
            Route("/v3/me", self.me),
            Route("/v3/sessions", self.list_sessions),
            Route("/v3/sessions/current", self.end_own, methods=["DELETE"]),
            Route("/v3/sessions/{id}/end", self.end_other, methods=["POST"]),
        ]
        routes = [Host(SIGN_IN, Router(sign_in)), Host(API, Router(api))]
        self._application = Starlette(routes=routes)

    # What it does

    async def sign_in(self, request: Request) -> Response:
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            return _error("unsupported", 415)
        given = dict(parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True))
        user = self._store.check_password(given.get("login", ""), given.get("pass", ""))
        if user is None:
            return _error("refused", 403)
        return self._tokens(Session(secrets.token_hex(4), user.email))

    async def renew(self, request: Request) -> Response:
        again = (await request.json()).get("again")
        session = self._store.of_again(again)
        if session is None or not session.alive:
            return _error("refused", 403)
        if again != session.agains[-1]:  # used before: taken for stolen
            self._store.end(session, "reuse")
            return _error("refused", 403)
        return self._tokens(session)

    async def me(self, request: Request) -> Response:
        session = self._store.accepted(bearer(request.headers))
        if session is None:
            return _error("not signed in", 401)
        return JSONResponse(self._me(session))

    async def list_sessions(self, request: Request) -> Response:
        session = self._store.accepted(bearer(request.headers))
        if session is None:
            return _error("not signed in", 401)
        found = [{"sid": one.id, "mine": one is session} for one in self._store.siblings(session)]
        return JSONResponse({"data": {"open": found}})

    async def end_own(self, request: Request) -> Response:
        session = self._store.accepted(bearer(request.headers))
        if session is None:
            return _error("not signed in", 401)
        if self.settings.keeps_sessions:
            return JSONResponse({"state": "kept"})
        return self._end(session, request.headers)

    async def end_other(self, request: Request) -> Response:
        session = self._store.accepted(bearer(request.headers))
        if session is None:
            return _error("not signed in", 401)
        wanted = request.path_params["id"]
        other = next((one for one in self._store.siblings(session) if one.id == wanted), None)
        if other is None:
            return _error("no such session", 404)
        return self._end(other, request.headers)

    def _end(self, session: Session, headers: Mapping[str, str]) -> Response:
        if not is_dry_run(headers):
            self._store.end(session, "logout")
        return JSONResponse({"state": "ended"})

    # What the front asks

    async def start(self) -> dict[str, int]:
        return dict.fromkeys(self.hosts, await serve_asgi(self._application))

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        return self._store.of_bearer(bearer) or self._store.of_again(form.get("again"))

    def accept(self, given: dict[str, Any]) -> Session | None:
        again = self._store.of_again(given.get("refresh_token"))
        if again is not None and again.alive and again.agains[-1] == given["refresh_token"]:
            return again
        return self._store.accepted(given.get("jwt"))

    # Within

    def _tokens(self, session: Session) -> Response:
        tokens = self._store.issue(session)
        return JSONResponse({"data": {"tokens": tokens, "me": self._me(session)}})

    def _me(self, session: Session) -> dict[str, str]:
        user = self._store.users[session.email]
        return {"uid": user.id, "mail": user.email, "nick": user.name}


def _error(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status_code=status)
