"""The smallest service there can be: a pattern for others, and what the front is tested with.

    python -m tests.servers.front.example

POST /login {"email", "password"} gives a token, GET /me and POST /logout take it as a bearer token.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import settings
from .request import bearer
from .run import main
from .service import is_dry_run
from .upstreams import AsgiServer

HOST = "api.example-demo.example"


@dataclass
class Settings(settings.Settings):
    token_lifetime: float = 3600
    clock_offset: float = 0
    # The server behind the front is not there.
    down: bool = False


@dataclass
class Session:
    id: str
    email: str
    token: str
    expires_at: float
    alive: bool = True


class Example:
    hosts = (HOST,)

    def __init__(self, directory: Path) -> None:
        self.parameters = {"base": f"https://{HOST}"}
        self.settings = Settings()
        self._file = directory / "state.json"
        self._users: dict[str, dict[str, str]] = {}
        self._sessions: dict[str, Session] = {}
        if self._file.exists():
            state = json.loads(self._file.read_text(encoding="utf-8"))
            self._users = state["users"]
            self._sessions = {one["id"]: Session(**one) for one in state["sessions"]}
        else:
            self.add_user("viewer@example.com", "correct horse", name="Viewer")
            self.add_user("zoë.ünïcode@例え.jp", "пароль-密码-🔑", name="例え")
        routes = [
            Route("/login", self.log_in, methods=["POST"]),
            Route("/me", self.me),
            Route("/logout", self.log_out, methods=["POST"]),
        ]
        self._server = AsgiServer(Starlette(routes=routes))

    # What it does

    async def log_in(self, request: Request) -> Response:
        given = await request.json()
        user = self._users.get(given.get("email"))
        if user is None or user["password"] != given.get("password"):
            return JSONResponse({"error": "wrong e-mail or password"}, status_code=401)
        expires_at = self._now() + self.settings.token_lifetime
        session = Session(secrets.token_hex(4), user["email"], secrets.token_hex(16), expires_at)
        self._sessions[session.id] = session
        self._save()
        return JSONResponse({"token": session.token})

    async def me(self, request: Request) -> Response:
        session = self._accepted(bearer(request.headers))
        if session is None:
            return JSONResponse({"error": "not signed in"}, status_code=401)
        return JSONResponse({"email": session.email})

    async def log_out(self, request: Request) -> Response:
        session = self._accepted(bearer(request.headers))
        if session is None:
            return JSONResponse({"error": "not signed in"}, status_code=401)
        if not is_dry_run(request.headers):
            await self.end_session(session.id)
        return JSONResponse({"message": "signed out"})

    # What the front asks

    async def start(self) -> dict[str, int]:
        port = await self._server.start()
        await self.follow_settings()
        return {HOST: port}

    async def stop(self) -> None:
        await self._server.stop()

    async def follow_settings(self) -> None:
        await (self._server.stop() if self.settings.down else self._server.start())

    def trace(self, _: dict[str, str], bearer: str | None, __: dict[str, str]) -> str | None:
        session = self._of_token(bearer)
        return session.id if session else None

    def users(self) -> list[dict[str, str]]:
        shown = ("id", "email", "name")
        return [{name: user[name] for name in shown} for user in self._users.values()]

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        user_id, name = id or secrets.token_hex(4), name or email
        user = {"id": user_id, "email": email, "name": name, "password": password}
        self._users[email] = user
        self._save()

    async def sessions(self) -> list[dict[str, Any]]:
        shown = ("id", "email", "alive", "expires_at")
        return [{name: getattr(one, name) for name in shown} for one in self._sessions.values()]

    async def end_session(self, id: str) -> None:
        self._sessions[id].alive = False
        self._save()

    async def forget_sessions(self) -> None:
        self._sessions.clear()
        self._save()

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        session = self._accepted(given.get("jwt"))
        return {"accepted": session is not None, "session": session.id if session else None}

    # Within

    def _now(self) -> float:
        return time.time() + self.settings.clock_offset

    def _of_token(self, token: str | None) -> Session | None:
        return next((one for one in self._sessions.values() if one.token == token), None)

    def _accepted(self, token: str | None) -> Session | None:
        session = self._of_token(token)
        holds = session is not None and session.alive and session.expires_at > self._now()
        return session if holds else None

    def _save(self) -> None:
        sessions = [asdict(one) for one in self._sessions.values()]
        state = json.dumps({"users": self._users, "sessions": sessions}, ensure_ascii=False)
        new = self._file.with_suffix(".new")
        new.write_text(state, encoding="utf-8")
        new.replace(self._file)


if __name__ == "__main__":
    main(Example)
