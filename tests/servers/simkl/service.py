"""Simkl's API as a Starlette application, over the grants of grants/store.py."""

from __future__ import annotations

import secrets
import string
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.front.request import bearer
from tests.servers.grants.bodies import content_type
from tests.servers.grants.service import GrantService
from tests.servers.grants.store import Device, Store, letters, number

from .settings import Settings

HOST = "api.simkl.com"
CLIENT_ID = "c7be48f1559a6d794e1925237c626326c7be48f1559a6d794e1925237c626316"
PIN_PAGE = "https://simkl.com/pin"


class Service(GrantService):
    hosts = (HOST,)
    settings: Settings

    def __init__(self, directory: Path) -> None:
        self.parameters = {"client_id": CLIENT_ID}
        settings = Settings()
        self._store = Store(directory / "state.json", settings)
        routes = [
            Route("/oauth/pin", self._new_code, methods=["GET"]),
            Route("/oauth/pin/{user_code}", self._poll, methods=["GET"]),
            Route("/users/settings", self._user_settings, methods=["POST"]),
            Route("/{path:path}", self._nothing, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
        super().__init__(self._store, Starlette(routes=routes))
        self.settings = settings

    async def _nothing(self, request: Request) -> Response:
        return _refused(404, "url_failed", "This URL does not exist")

    async def _new_code(self, request: Request) -> Response:
        return self._test(request) or self._fresh()

    async def _poll(self, request: Request) -> Response:
        wrong = self._test(request)
        if wrong is not None:
            return wrong
        device = self._device(request.path_params["user_code"])
        if device is None:
            return self._fresh()
        found = self._store.poll(device, hurried=self.settings.notices_haste)
        if found in ("pending", "denied"):
            return JSONResponse({"result": "KO", "message": "Authorization pending"})
        if found == "slow_down":
            return JSONResponse({"result": "KO", "message": "Slow down"})
        if found != "approved":
            return self._fresh()
        grant = self._store.collect(device)
        token = secrets.token_hex(32)
        self._store.issue(grant, "access", token, self.settings.token_lifetime)
        return JSONResponse({"result": "OK", "access_token": token})

    async def _user_settings(self, request: Request) -> Response:
        wrong = self._test(request)
        if wrong is not None:
            return wrong
        if await request.body() and content_type(request) != "application/json":
            return _refused(400, "wrong_parameter", "Content-Type must be application/json")
        grant = self._store.accepted(bearer(request.headers), "access")
        if grant is None or grant.client_id != CLIENT_ID:
            return _refused(401, "user_token_failed", "User token is wrong or was revoked")
        user = self._store.user_of(grant)
        told: dict[str, Any] = {
            "user": {
                "name": user.name,
                "joined_at": "2018-06-12T14:23:08.000Z",
                "gender": "",
                "avatar": "https://simkl.in/avatars/none/user_100.jpg",
                "bio": "",
                "loc": "",
                "age": "",
            },
            "account": {"id": int(user.id), "timezone": "Europe/Berlin", "type": "free"},
        }
        return JSONResponse(told)

    def _test(self, request: Request) -> Response | None:
        """What every request needs."""
        query = request.query_params
        client_id = query.get("client_id") or request.headers.get("simkl-api-key")
        if client_id != CLIENT_ID:
            return _refused(412, "client_id_failed", "Your client_id is wrong. Try another one")
        if not request.headers.get("user-agent"):
            return _refused(400, "empty_field", 'Missed "User-Agent" header')
        for name in ("app-name", "app-version"):
            if self.settings.wants_app_name and not query.get(name):
                return _refused(400, "empty_field", f'Missed "{name}" parameter')
        return None

    def _device(self, user_code: str) -> Device | None:
        wanted = letters(user_code)
        devices = self._store.devices.values()
        return next((one for one in devices if letters(one.user_code) == wanted), None)

    def _fresh(self) -> Response:
        """Another code, which is also the answer for one that is no more."""
        drawn = string.ascii_uppercase + string.digits
        user_code = "".join(secrets.choice(drawn) for _ in range(6))
        # What is kept under a code of ours, and answered as the placeholder that theirs is.
        device = self._store.add_device(secrets.token_hex(16), user_code, CLIENT_ID, "public")
        return JSONResponse(
            {
                "result": "OK",
                "device_code": "DEVICE_CODE",
                "user_code": device.user_code,
                "verification_uri": PIN_PAGE,
                "verification_url": PIN_PAGE,
                "expires_in": number(self.settings.device_expires_in),
                "interval": number(self.settings.device_interval),
            }
        )


def _refused(code: int, error: str, message: str) -> Response:
    return JSONResponse({"error": error, "code": code, "message": message}, code)
