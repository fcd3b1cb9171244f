"""github.com: device codes and tokens. Every answer about a token has status 200, errors too."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from . import CLIENT_ID, CLIENT_SECRET, DEVICE
from .store import Code, Session, Store

_TOLD = {
    "authorization_pending": "The authorization request is still pending.",
    "slow_down": "Too many requests have been made in the same timeframe.",
    "expired_token": "This 'device_code' has expired.",
    "access_denied": "The authorization request was denied.",
    "unsupported_grant_type": "The grant type is not supported.",
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
    "incorrect_device_code": "The device_code provided is not valid.",
    "bad_refresh_token": "The refresh token passed is incorrect or expired.",
    "bad_verification_code": "The code passed is incorrect or expired.",
    "device_flow_disabled": "Device Flow must be explicitly enabled for this App",
}


class Login:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._settings = store.options

    def routes(self) -> list[Route]:
        return [
            Route("/login/device/code", self.code, methods=["POST"]),
            Route("/login/oauth/access_token", self.token, methods=["POST"]),
            Route("/login/device", self.page),
        ]

    async def page(self, _: Request) -> Response:
        return HTMLResponse("<title>Device Activation</title><p>Enter the code displayed</p>")

    async def code(self, request: Request) -> Response:
        asked = await _fields(request)
        if asked.get("client_id") != CLIENT_ID:
            return JSONResponse({"error": "Not Found"}, status_code=404)
        if not self._settings.device_flow:
            return self._error(request, "device_flow_disabled", status=400)
        code = self._store.new_code(asked.get("scope", "").replace(" ", ","))
        answer = {
            "device_code": code.device_code,
            "user_code": code.user_code,
            "verification_uri": "https://github.com/login/device",
            "expires_in": _number(self._settings.code_lifetime),
            "interval": _number(code.interval),
        }
        return _as_asked(request, answer)

    async def token(self, request: Request) -> Response:
        asked = await _fields(request)
        secret = asked.get("client_secret")
        if asked.get("client_id") != CLIENT_ID or secret not in (None, CLIENT_SECRET):
            return self._error(request, "incorrect_client_credentials")
        grant = asked.get("grant_type")
        if grant == "refresh_token":
            session = self._store.renewable(asked.get("refresh_token"))
            if session is None:
                return self._error(request, "bad_refresh_token")
            self._store.renew(session)
            return self._granted(request, session)
        if grant != DEVICE:
            known = grant in (None, "authorization_code")
            return self._error(
                request, "bad_verification_code" if known else "unsupported_grant_type"
            )
        return self._poll(request, asked.get("device_code", ""))

    def _poll(self, request: Request, device_code: str) -> Response:
        code = self._store.codes.get(device_code)
        refusal = self._refusal(code)
        if refusal == "slow_down" and code:
            return self._error(request, refusal, interval=_number(code.interval))
        if refusal or code is None:
            return self._error(request, refusal)
        return self._granted(request, self._store.begin(code))

    def _refusal(self, code: Code | None) -> str:
        """Why there is no token for this code now, if there is none."""
        if code is None:
            return "incorrect_device_code"
        if not self._settings.device_flow:
            return "device_flow_disabled"
        if code.expires_at <= self._store.now():
            return "expired_token"
        if self._store.is_early(code):
            return "slow_down"
        if code.denied:
            return "access_denied"
        return "" if code.email else "authorization_pending"

    def _granted(self, request: Request, session: Session) -> Response:
        answer: dict[str, Any] = {"access_token": session.tokens[-1]}
        if session.token_expires_at:
            answer["expires_in"] = _number(self._settings.token_lifetime)
            answer["refresh_token"] = session.refresh_tokens[-1]
            answer["refresh_token_expires_in"] = _number(self._settings.refresh_lifetime)
        answer.update(token_type="bearer", scope=session.scope)
        return _as_asked(request, answer)

    def _error(self, request: Request, name: str, status: int = 200, **more: Any) -> Response:
        told = {
            "error": name,
            "error_description": _TOLD[name],
            "error_uri": "https://docs.github.com",
        }
        return _as_asked(request, {**told, **more}, status)


async def _fields(request: Request) -> dict[str, str]:
    """Of a form, a JSON object, or the query; each is taken."""
    found = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            given = json.loads(await request.body() or b"{}")
        except ValueError:
            given = {}
        items = given.items() if isinstance(given, dict) else ()
        return {**found, **{name: text for name, text in items if isinstance(text, str)}}
    form = await request.form()
    return {**found, **{name: str(text) for name, text in form.items()}}


def _as_asked(request: Request, answer: dict[str, Any], status: int = 200) -> Response:
    """JSON only for who says so; a form else."""
    if "application/json" in request.headers.get("accept", ""):
        return JSONResponse(answer, status)
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    return Response(urllib.parse.urlencode(answer), status, media_type=kind)


def _number(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else seconds
