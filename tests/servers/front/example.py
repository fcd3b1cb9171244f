"""The smallest service there can be: a pattern for others, and what the front is tested with.

    python -m tests.servers front.example

POST /login {"email", "password"} gives a token, GET /me and POST /logout take it as a bearer token.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import settings, store
from .request import bearer
from .service import is_dry_run
from .store import User
from .upstreams import AsgiServer

HOST = "api.example-demo.example"


@dataclass
class Settings(settings.Settings):
    token_lifetime: float = 3600
    # The server behind the front is not there.
    down: bool = False


@dataclass
class Session:
    id: str
    email: str
    token: str
    expires_at: float
    alive: bool = True


class Store(store.Store[User, Session]):
    def begin(self, user: User, lifetime: float) -> Session:
        token, expires_at = secrets.token_hex(16), self.now() + lifetime
        session = Session(secrets.token_hex(4), user.email, token, expires_at)
        self.sessions[session.id] = session
        self.save()
        return session

    def end(self, session: Session, by: str) -> None:
        session.alive = False
        self.save()

    def of_token(self, token: str | None) -> Session | None:
        return next((one for one in self.sessions.values() if one.token == token), None)

    def accepted(self, token: str | None) -> Session | None:
        session = self.of_token(token)
        holds = session is not None and session.alive and session.expires_at > self.now()
        return session if holds else None


class Service(store.StoredService):
    hosts = (HOST,)
    shown = ("id", "email", "alive", "expires_at")

    def __init__(self, directory: Path) -> None:
        self.parameters = {"base": f"https://{HOST}"}
        self.settings = Settings()
        self._store = Store(directory / "state.json", self.settings, Session, User)
        super().__init__(self._store)
        routes = [
            Route("/login", self.log_in, methods=["POST"]),
            Route("/me", self.me),
            Route("/logout", self.log_out, methods=["POST"]),
        ]
        self._server = AsgiServer(Starlette(routes=routes))

    # What it does

    async def log_in(self, request: Request) -> Response:
        given = await request.json()
        user = self._store.check_password(given["email"], given["password"])
        if user is None:
            return JSONResponse({"error": "wrong e-mail or password"}, status_code=401)
        session = self._store.begin(user, self.settings.token_lifetime)
        return JSONResponse({"token": session.token})

    async def me(self, request: Request) -> Response:
        session = self._store.accepted(bearer(request.headers))
        if session is None:
            return JSONResponse({"error": "not signed in"}, status_code=401)
        return JSONResponse({"email": session.email})

    async def log_out(self, request: Request) -> Response:
        session = self._store.accepted(bearer(request.headers))
        if session is None:
            return JSONResponse({"error": "not signed in"}, status_code=401)
        if not is_dry_run(request.headers):
            self._store.end(session, "logout")
        return JSONResponse({"message": "signed out"})

    # What the front asks

    async def start(self) -> dict[str, int]:
        port = await self._server.start()
        await self.follow_settings()
        return {HOST: port}

    async def follow_settings(self) -> None:
        await (self._server.stop() if self.settings.down else self._server.start())

    def recognise(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> Session | None:
        return self._store.of_token(bearer)

    def accept(self, given: dict[str, Any]) -> Session | None:
        return self._store.accepted(given.get("jwt"))
