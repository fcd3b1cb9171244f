"""The control interface for tests: journal, faults, users, sessions, settings.

Plain HTTP on loopback. It is never reachable through the edge, and the web application does not
know it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .edge import Edge
from .faults import KNOWN
from .settings import Settings
from .store import Store


class Control:
    def __init__(self, store: Store, edge: Edge) -> None:
        self._store = store
        self._edge = edge

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/journal", self.journal, methods=["GET", "DELETE"]),
                Route("/faults", self.faults, methods=["GET", "PUT", "DELETE"]),
                Route("/users", self.users, methods=["GET", "POST"]),
                Route("/sessions", self.sessions, methods=["GET", "DELETE"]),
                Route("/sessions/{id}/end", self.end_session, methods=["POST"]),
                Route("/settings", self.settings, methods=["GET", "PUT", "DELETE"]),
                Route("/check", self.check, methods=["POST"]),
            ],
            exception_handlers={ValueError: _complain, TypeError: _complain, KeyError: _complain},
        )

    async def journal(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._edge.journal.clear()
        return JSONResponse(self._edge.journal.as_dict())

    async def faults(self, request: Request) -> Response:
        if request.method == "PUT":
            self._edge.add_fault(await request.json())
        elif request.method == "DELETE":
            self._edge.faults.clear()
        rules = [asdict(rule) for rule in self._edge.faults.rules]
        return JSONResponse({"faults": rules, "known": KNOWN})

    async def users(self, request: Request) -> Response:
        if request.method == "POST":
            given = await request.json()
            for user in given if isinstance(given, list) else [given]:
                self._store.add_user(**user)
        known = self._store.users.values()
        return JSONResponse([{"id": u.id, "email": u.email, "name": u.name} for u in known])

    async def sessions(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._store.forget_sessions()
        shown = ("id", "email", "alive", "jwt_expires_at", "logins", "renewals", "logouts")
        sessions = self._store.sessions.values()
        return JSONResponse([{name: getattr(s, name) for name in shown} for s in sessions])

    async def end_session(self, request: Request) -> Response:
        session = self._store.sessions.get(request.path_params["id"])
        if session is None:
            raise HTTPException(404, "no such session")
        self._store.end(session, by_logout=False)
        return JSONResponse({"ended": session.id})

    async def settings(self, request: Request) -> Response:
        if request.method != "GET":
            defaults = Settings().as_dict()
            wanted = defaults if request.method == "DELETE" else await request.json()
            self._store.settings.update(wanted)
            self._store.save()
            await self._edge.follow_settings()
        return JSONResponse(self._store.settings.as_dict())

    async def check(self, request: Request) -> Response:
        given: dict[str, Any] = await request.json()
        session = self._store.accepted(given.get("cookies") or {}, given.get("jwt"))
        answer = {"accepted": session is not None, "session": session.id if session else None}
        return JSONResponse(answer)


def _complain(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)
