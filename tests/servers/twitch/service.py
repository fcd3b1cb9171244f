"""Twitch's two hosts as a Starlette application, over the grants of grants/store.py."""

from __future__ import annotations

import secrets
import string
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Route, Router

from tests.servers.front.service import is_dry_run
from tests.servers.grants.bodies import form_fields
from tests.servers.grants.service import GrantService
from tests.servers.grants.store import Grant, Store, number

from .settings import Settings

ID = "id.twitch.tv"
API = "api.twitch.tv"
CLIENT_ID = "wbmytr93xzw8zbg0p1izqyzzc5mbiz"
# Of another application that exists.
OTHER_CLIENT_ID = "hof5gwx0su6owfnys0yan9c87zr6t"
# What a confidential client would have.
CLIENT_SECRET = "41vpdji4e9gif29md0ouet6fktd2"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_LETTERS = string.ascii_lowercase + string.digits


class Service(GrantService):
    hosts = (ID, API)
    settings: Settings

    def __init__(self, directory: Path) -> None:
        self.parameters = {"client_id": CLIENT_ID}
        settings = Settings()
        self._store = Connections(directory / "state.json", settings)
        routes = [
            Route("/oauth2/device", self._new_codes, methods=["POST"]),
            Route("/oauth2/token", self._token, methods=["POST"]),
            Route("/oauth2/revoke", self._revoke, methods=["POST"]),
            Route("/oauth2/validate", self._validate, methods=["GET"]),
        ]
        helix = [Route("/helix/users", self._users, methods=["GET"])]
        application = Starlette(routes=[Host(ID, Router(routes)), Host(API, Router(helix))])
        super().__init__(self._store, application)
        self.settings = settings

    # id.twitch.tv

    async def _new_codes(self, request: Request) -> Response:
        fields = await _fields(request)
        wrong = _wrong_client(fields)
        if wrong is not None:
            return wrong
        code, user_code = (
            _chosen(string.ascii_letters + string.digits, 40),
            _chosen(string.ascii_uppercase, 8),
        )
        scope = fields.get("scopes", "")
        device = self._store.add_device(code, user_code, fields["client_id"], scope)
        return JSONResponse(
            {
                "device_code": device.device_code,
                "expires_in": number(self.settings.device_expires_in),
                "interval": number(self.settings.device_interval),
                "user_code": device.user_code,
                "verification_uri": f"https://www.twitch.tv/activate?public=true&device-code={user_code}",
            }
        )

    async def _token(self, request: Request) -> Response:
        fields = await _fields(request)
        wrong = _wrong_client(fields)
        if wrong is not None:
            return wrong
        if fields.get("grant_type") == DEVICE_GRANT:
            return self._poll(fields)
        if fields.get("grant_type") == "refresh_token":
            return self._renew(fields)
        return _refused(
            400, "missing grant type" if not fields.get("grant_type") else "Invalid grant"
        )

    def _poll(self, fields: dict[str, str]) -> Response:
        device = self._store.devices.get(fields.get("device_code", ""))
        if device is None or device.client_id != fields["client_id"]:
            return _refused(400, "invalid device code")
        asked_for = set(device.scope.split())
        if self.settings.wants_scopes and set(fields.get("scopes", "").split()) != asked_for:
            return _refused(400, "invalid device code")
        found = self._store.poll(device, hurried=self.settings.notices_haste)
        if found == "approved":
            return self._tokens(self._store.collect(device))
        words = {
            "pending": "authorization_pending",
            "slow_down": "slow_down",
            "denied": self.settings.denied_word,
        }
        return _refused(400, words.get(found, "invalid device code"))

    def _renew(self, fields: dict[str, str]) -> Response:
        token = fields.get("refresh_token", "")
        if not token:
            return _refused(400, "missing refresh token")
        if self.settings.client_type == "confidential":
            if not fields.get("client_secret"):
                return _refused(400, "missing client secret")
            if fields["client_secret"] != CLIENT_SECRET:
                return _refused(403, "invalid client secret")
        known = self._store.find(token)
        grant = self._store.accepted(token, "refresh")
        if grant is not None and grant.client_id == fields["client_id"]:
            grant.tokens[token].ended = grant.tokens[token].exchanged = True
            grant.renewals += 1
            self._store.end_tokens(grant, "access")
            return self._tokens(grant)
        if known is not None and known[1].exchanged:
            self._store.disconnect(known[0], "reuse")
        elif known is not None and known[0].ended_by == "somebody else":
            return _bad_refresh(self.settings.disconnected_status)
        return _bad_refresh(400)

    async def _revoke(self, request: Request) -> Response:
        fields = await _fields(request)
        if not fields.get("client_id"):
            return _refused(400, "missing client id")
        if fields["client_id"] not in (CLIENT_ID, OTHER_CLIENT_ID):
            return _refused(404, "client does not exist")
        if not fields.get("token"):
            return _refused(400, "missing oauth token")
        grant = self._store.accepted(fields["token"], "access")
        if grant is None or grant.client_id != fields["client_id"]:
            return _refused(400, "Invalid token")
        if not is_dry_run(request.headers):
            grant.revocations += 1
            grant.tokens[fields["token"]].ended = True
            self._store.save()
        return Response(status_code=200)

    async def _validate(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("oauth", "bearer") or not token:
            return _refused(401, "missing authorization token")
        grant = self._store.accepted(token, "access")
        if grant is None:
            return _refused(401, "invalid access token")
        return JSONResponse(
            {
                "client_id": grant.client_id,
                "login": _login(grant),
                "scopes": grant.scope.split() or None,
                "user_id": self._store.user_of(grant).id,
                "expires_in": int(grant.tokens[token].expires_at - self._store.now()),
            }
        )

    # api.twitch.tv

    async def _users(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            return _unauthorized("OAuth token is missing")
        client_id = request.headers.get("client-id")
        if not client_id:
            return _unauthorized("Client ID is missing")
        grant = self._store.accepted(token, "access")
        if grant is None:
            return _unauthorized("Invalid OAuth token")
        if client_id != grant.client_id:
            return _unauthorized("Client ID and OAuth token do not match")
        user = self._store.user_of(grant)
        told: dict[str, Any] = {
            "id": user.id,
            "login": _login(grant),
            "display_name": user.name,
            "type": "",
            "broadcaster_type": "",
            "description": "",
            "profile_image_url": "",
            "offline_image_url": "",
            "view_count": 0,
            "created_at": "2016-12-14T20:32:28Z",
        }
        if "user:read:email" in grant.scope.split():
            told["email"] = user.email
        return JSONResponse({"data": [told]})

    def _tokens(self, grant: Grant) -> Response:
        settings = self.settings
        access, refresh = _chosen(_LETTERS, 30), _chosen(_LETTERS, 50)
        self._store.issue(grant, "access", access, settings.access_lifetime)
        self._store.issue(grant, "refresh", refresh, settings.refresh_lifetime)
        told: dict[str, Any] = {
            "access_token": access,
            "expires_in": number(settings.access_lifetime),
            "refresh_token": refresh,
        }
        if grant.scope:
            told["scope"] = grant.scope.split()
        return JSONResponse({**told, "token_type": "bearer"})


class Connections(Store):
    def disconnect(self, grant: Grant, by: str) -> None:
        """The user and the client have nothing to do with each other any more."""
        for one in list(self.sessions.values()):
            if (one.email, one.client_id) == (grant.email, grant.client_id):
                self.end(one, by)


async def _fields(request: Request) -> dict[str, str]:
    return {**request.query_params, **await form_fields(request)}


def _wrong_client(fields: dict[str, str]) -> Response | None:
    if not fields.get("client_id"):
        return _refused(400, "missing client id")
    if fields["client_id"] not in (CLIENT_ID, OTHER_CLIENT_ID):
        return _refused(400, "invalid client")
    return None


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"status": status, "message": message}, status)


def _bad_refresh(status: int) -> Response:
    name = "Bad Request" if status == 400 else "Unauthorized"
    told = {"error": name, "status": status, "message": "Invalid refresh token"}
    return JSONResponse(told, status)


def _unauthorized(message: str) -> Response:
    return JSONResponse({"error": "Unauthorized", "status": 401, "message": message}, 401)


def _login(grant: Grant) -> str:
    return grant.email.partition("@")[0].lower()


def _chosen(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))
