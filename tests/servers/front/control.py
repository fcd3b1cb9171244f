"""The control interface for tests: journal, faults, users, sessions, settings.

Plain HTTP on loopback. It is never reachable through the edge, and the service does not know it.
"""

from __future__ import annotations

import inspect
from dataclasses import asdict
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .edge import Edge
from .faults import KNOWN
from .service import CodeLogin, DeviceLogin, Service
from .settings import AllSettings


class Control:
    def __init__(self, service: Service, settings: AllSettings, edge: Edge) -> None:
        self._service = service
        self._settings = settings
        self._edge = edge

    def application(self) -> Starlette:
        routes = [
            Route("/journal", self.journal, methods=["GET", "DELETE"]),
            Route("/faults", self.faults, methods=["GET", "PUT", "DELETE"]),
            Route("/users", self.users, methods=["GET", "POST"]),
            Route("/sessions", self.sessions, methods=["GET", "DELETE"]),
            Route("/sessions/{id}/end", self.end_session, methods=["POST"]),
            Route("/settings", self.settings, methods=["GET", "PUT", "DELETE"]),
            Route("/check", self.check, methods=["POST"]),
        ]
        if isinstance(self._service, DeviceLogin):
            routes.append(Route("/approve", self.approve, methods=["POST"]))
        if isinstance(self._service, CodeLogin):
            routes.append(Route("/authorize", self.authorize, methods=["POST"]))
        return Starlette(
            routes=routes,
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
                await settled(self._service.add_user(**user))
        return JSONResponse(await settled(self._service.users()))

    async def sessions(self, request: Request) -> Response:
        if request.method == "DELETE":
            await settled(self._service.forget_sessions())
        return JSONResponse(await settled(self._service.sessions()))

    async def end_session(self, request: Request) -> Response:
        ended = request.path_params["id"]
        try:
            await settled(self._service.end_session(ended))
        except KeyError as error:
            raise HTTPException(404, "no such session") from error
        return JSONResponse({"ended": ended})

    async def settings(self, request: Request) -> Response:
        if request.method != "GET":
            if request.method == "DELETE":
                self._settings.reset()
            else:
                self._settings.update(await request.json())
            await self._service.follow_settings()
            await self._edge.follow_settings()
        return JSONResponse(self._settings.as_dict())

    async def check(self, request: Request) -> Response:
        return JSONResponse(await settled(self._service.check(await request.json())))

    async def approve(self, request: Request) -> Response:
        assert isinstance(self._service, DeviceLogin)
        return JSONResponse(await settled(self._service.approve(await request.json())) or {})

    async def authorize(self, request: Request) -> Response:
        assert isinstance(self._service, CodeLogin)
        return JSONResponse(await settled(self._service.authorize(await request.json())))


async def settled(value: Any) -> Any:
    """The result of a service's method, which may be async or not."""
    return await value if inspect.isawaitable(value) else value


def _complain(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)
