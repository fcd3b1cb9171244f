"""The service: its routes, its state, and what the front asks."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Route, Router

from tests.servers.front import settings
from tests.servers.front.request import bearer
from tests.servers.front.service import is_dry_run
from tests.servers.front.upstreams import AsgiServer

REGION = "north"
SIGN_IN = f"signin.{REGION}.newcomer-demo.example"
API = f"api.{REGION}.newcomer-demo.example"


@dataclass
class Settings(settings.Settings):
    token_lifetime: float = 600
    clock_offset: float = 0
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


class Newcomer:
    hosts = (SIGN_IN, API)

    def __init__(self, directory: Path) -> None:
        self.parameters = {"region": REGION}
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
        self._server = AsgiServer(Starlette(routes=routes))

    # What it does

    async def sign_in(self, request: Request) -> Response:
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            return _error("unsupported", 415)
        given = dict(parse_qsl((await request.body()).decode("utf-8"), keep_blank_values=True))
        user = self._users.get(given.get("login", ""))
        if user is None or user["password"] != given.get("pass"):
            return _error("refused", 403)
        session = Session(secrets.token_hex(4), user["email"])
        self._sessions[session.id] = session
        return self._tokens(session)

    async def renew(self, request: Request) -> Response:
        again = (await request.json()).get("again")
        session = self._of_again(again)
        if session is None or not session.alive:
            return _error("refused", 403)
        if again != session.agains[-1]:  # used before: taken for stolen
            await self.end_session(session.id)
            return _error("refused", 403)
        return self._tokens(session)

    async def me(self, request: Request) -> Response:
        session = self._accepted(bearer(request.headers))
        if session is None:
            return _error("not signed in", 401)
        return JSONResponse(self._me(session))

    async def list_sessions(self, request: Request) -> Response:
        session = self._accepted(bearer(request.headers))
        if session is None:
            return _error("not signed in", 401)
        found = [{"sid": one.id, "mine": one is session} for one in self._siblings(session)]
        return JSONResponse({"data": {"open": found}})

    async def end_own(self, request: Request) -> Response:
        session = self._accepted(bearer(request.headers))
        if session is None:
            return _error("not signed in", 401)
        if self.settings.keeps_sessions:
            return JSONResponse({"state": "kept"})
        return await self._end(session, request.headers)

    async def end_other(self, request: Request) -> Response:
        session = self._accepted(bearer(request.headers))
        if session is None:
            return _error("not signed in", 401)
        wanted = request.path_params["id"]
        other = next((one for one in self._siblings(session) if one.id == wanted), None)
        if other is None:
            return _error("no such session", 404)
        return await self._end(other, request.headers)

    async def _end(self, session: Session, headers: Mapping[str, str]) -> Response:
        if not is_dry_run(headers):
            await self.end_session(session.id)
        return JSONResponse({"state": "ended"})

    # What the front asks

    async def start(self) -> dict[str, int]:
        port = await self._server.start()
        return {SIGN_IN: port, API: port}

    async def stop(self) -> None:
        await self._server.stop()

    def trace(self, _: dict[str, str], bearer: str | None, form: dict[str, str]) -> str | None:
        session = self._of_bearer(bearer) or self._of_again(form.get("again"))
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
        again = self._of_again(given.get("refresh_token"))
        if again is not None and again.alive and again.agains[-1] == given["refresh_token"]:
            session = again
        return {"accepted": session is not None, "session": session.id if session else None}

    # Within

    def _tokens(self, session: Session) -> Response:
        token, again = secrets.token_hex(16), secrets.token_hex(16)
        lifetime = self.settings.token_lifetime
        session.expires_at = session.bearers[token] = self._now() + lifetime
        session.agains.append(again)
        self._save()
        tokens = {"bearer": token, "again": again, "ttl": int(lifetime)}
        return JSONResponse({"data": {"tokens": tokens, "me": self._me(session)}})

    def _me(self, session: Session) -> dict[str, str]:
        user = self._users[session.email]
        return {"uid": user["id"], "mail": user["email"], "nick": user["name"]}

    def _siblings(self, session: Session) -> list[Session]:
        found = self._sessions.values()
        return [one for one in found if one.alive and one.email == session.email]

    def _now(self) -> float:
        return time.time() + self.settings.clock_offset

    def _of_bearer(self, token: str | None) -> Session | None:
        return next((one for one in self._sessions.values() if token in one.bearers), None)

    def _of_again(self, token: str | None) -> Session | None:
        return next((one for one in self._sessions.values() if token in one.agains), None)

    def _accepted(self, token: str | None) -> Session | None:
        session = self._of_bearer(token)
        if session is None or token is None or not session.alive:
            return None
        return session if session.bearers[token] > self._now() else None

    def _save(self) -> None:
        sessions = [asdict(one) for one in self._sessions.values()]
        state = json.dumps({"users": self._users, "sessions": sessions}, ensure_ascii=False)
        new = self._file.with_suffix(".new")
        new.write_text(state, encoding="utf-8")
        new.replace(self._file)


def _error(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status_code=status)
