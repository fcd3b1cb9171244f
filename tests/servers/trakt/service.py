"""Trakt's API as a Starlette application, over the grants of grants/store.py."""

from __future__ import annotations

import re
import secrets
import uuid
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.front.request import bearer
from tests.servers.front.service import is_dry_run
from tests.servers.front.store import User
from tests.servers.grants.bodies import content_type, json_fields, text
from tests.servers.grants.service import GrantService
from tests.servers.grants.store import Grant, Store, number

from .settings import Settings

HOST = "api.trakt.tv"
ACTIVATE = "https://trakt.tv/activate"
# The application that a developer registered.
CLIENT_ID = "8a1f0c35d27e4b9680f3e2a7c1d4b5e69708a9fbc0d1e2f3a4b5c6d7e8f90123"
CLIENT_SECRET = "1b2c3d4e5f60718293a4b5c6d7e8f9010a2b3c4d5e6f708192a3b4c5d6e7f809"
SCOPE = "public"

# By the state of a polled device; the bodies are empty.
_POLLED = {"pending": 400, "used": 409, "expired": 410, "denied": 418, "slow_down": 429}
# Before the migration, in Doorkeeper's words.
_DOORKEEPER = (
    "The provided authorization grant is invalid, expired, revoked, does not match the "
    "redirection URI used in the authorization request, or was issued to another client."
)
_BLOCKED = (
    "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>Sorry, you have been blocked"
)


class Service(GrantService):
    hosts = (HOST,)
    settings: Settings

    def __init__(self, directory: Path) -> None:
        self.parameters = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        settings = Settings()
        self._store = Store(directory / "state.json", settings)
        # One that answers all, since what comes before the methods is the same for all.
        everything = Route("/{path:path}", self._answer, methods=["GET", "POST", "PUT", "DELETE"])
        super().__init__(self._store, Starlette(routes=[everything]))
        self.settings = settings
        self._methods = {
            ("POST", "/oauth/device/code"): self._new_codes,
            ("POST", "/oauth/device/token"): self._poll,
            ("POST", "/oauth/token"): self._renew,
            ("POST", "/oauth/revoke"): self._revoke,
            ("GET", "/users/settings"): self._user_settings,
            ("GET", "/users/me"): self._profile,
        }

    async def _answer(self, request: Request) -> Response:
        if not request.headers.get("user-agent"):
            return Response(_BLOCKED, 403, media_type="text/html")
        # Rails takes several slashes for one.
        path = re.sub("/+", "/", request.url.path).rstrip("/")
        method = self._methods.get((request.method, path))
        if method is None:
            return Response(status_code=405)
        if content_type(request) != "application/json":
            return Response(status_code=412)
        return await method(request)

    # Without a user

    async def _new_codes(self, request: Request) -> Response:
        fields = await json_fields(request)
        if fields is None:
            return Response(status_code=400)
        if text(fields, "client_id") != CLIENT_ID:
            return Response(status_code=403)
        user_code = secrets.token_hex(4).upper()
        device = self._store.add_device(secrets.token_hex(32), user_code, CLIENT_ID, SCOPE)
        return JSONResponse(
            {
                "device_code": device.device_code,
                "user_code": device.user_code,
                "verification_url": ACTIVATE,
                "expires_in": number(self.settings.device_expires_in),
                "interval": number(self.settings.device_interval),
            }
        )

    async def _poll(self, request: Request) -> Response:
        fields = await json_fields(request)
        if fields is None:
            # Which reads as "pending", as it would at the real one.
            return Response(status_code=400)
        if not _is_client(fields):
            return Response(status_code=403)
        device = self._store.devices.get(text(fields, "code"))
        if device is None:
            return Response(status_code=404)
        found = self._store.poll(device)
        if found in _POLLED:
            return Response(status_code=_POLLED[found])
        return self._tokens(self._store.collect(device))

    async def _renew(self, request: Request) -> Response:
        fields = await json_fields(request)
        if fields is None or "grant_type" not in fields:
            described = "Missing required parameter: grant_type."
            return _refused(400, "invalid_request", described)
        if fields["grant_type"] != "refresh_token":
            described = "The authorization grant type is not supported by the authorization server."
            return _refused(400, "unsupported_grant_type", described)
        if not _is_client(fields):
            status = 400 if self.settings.generation == "2026" else 401
            return _refused(status, "invalid_client", "Client authentication failed.")
        token = text(fields, "refresh_token")
        grant = self._store.accepted(token, "refresh")
        if grant is None or "redirect_uri" not in fields:
            if self.settings.generation == "2026":
                return _refused(400, "invalid_grant", "session not found")
            return _refused(401, "invalid_grant", _DOORKEEPER)
        grant.tokens[token].ended = grant.tokens[token].exchanged = True
        grant.renewals += 1
        if self.settings.renewal_ends_access:
            self._store.end_tokens(grant, "access")
        return self._tokens(grant)

    async def _revoke(self, request: Request) -> Response:
        """For security reasons, they say, it answers 200 whatever it was given."""
        fields = await json_fields(request) or {}
        grant = self._store.accepted(text(fields, "token"), "access")
        if grant is not None and _is_client(fields) and not is_dry_run(request.headers):
            grant.revocations += 1
            self._store.end(grant, "revoked")
        return Response() if self.settings.revocation_says_nothing else JSONResponse({})

    # Of a user

    async def _user_settings(self, request: Request) -> Response:
        user = self._user(request)
        if isinstance(user, Response):
            return user
        profile = _profile(user)
        profile["ids"]["uuid"] = uuid.uuid5(uuid.NAMESPACE_URL, user.id).hex
        account = {"timezone": "Europe/Berlin", "date_format": "dmy", "time_24hr": True}
        limits = {"list": {"count": 2, "item_count": 100}}
        return JSONResponse({"user": profile, "account": account, "limits": limits})

    async def _profile(self, request: Request) -> Response:
        user = self._user(request)
        return user if isinstance(user, Response) else JSONResponse(_profile(user))

    def _user(self, request: Request) -> User | Response:
        """Whose token it is, or the refusal."""
        if request.headers.get("trakt-api-key") != CLIENT_ID:
            return Response(status_code=403)
        if request.headers.get("trakt-api-version") != "2":
            return Response(status_code=400)
        grant = self._store.accepted(bearer(request.headers), "access")
        if grant is None:
            return Response(status_code=401)
        if self.settings.account_locked:
            locked = {"X-Account-Locked": "true", "X-Account-Deactivated": "false"}
            return Response(status_code=423, headers=locked)
        return self._store.user_of(grant)

    def _tokens(self, grant: Grant) -> Response:
        settings = self.settings
        access, refresh = secrets.token_hex(32), secrets.token_hex(32)
        self._store.issue(grant, "access", access, settings.access_lifetime)
        self._store.issue(grant, "refresh", refresh, settings.refresh_lifetime)
        return JSONResponse(
            {
                "access_token": access,
                "token_type": "bearer",
                "expires_in": number(settings.access_lifetime),
                "refresh_token": refresh,
                "scope": SCOPE,
                "created_at": int(self._store.now()),
            }
        )


def _is_client(fields: dict[str, Any]) -> bool:
    given = text(fields, "client_id"), text(fields, "client_secret")
    return given == (CLIENT_ID, CLIENT_SECRET)


def _refused(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)


def _profile(user: User) -> dict[str, Any]:
    slug = user.email.partition("@")[0]
    return {
        "username": slug,
        "private": False,
        "name": user.name,
        "vip": False,
        "vip_ep": False,
        "ids": {"slug": slug},
    }
