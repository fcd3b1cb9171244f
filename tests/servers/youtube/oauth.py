"""oauth2.googleapis.com: device codes, tokens, their revocation, and what a token is."""

from __future__ import annotations

import secrets
import string
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.front.service import is_dry_run
from tests.servers.grants.bodies import content_type, form_fields, json_fields, text
from tests.servers.grants.store import Device, Grant, Store, number

from .settings import Settings

# The client of the user's own project, of the type "TVs and Limited Input devices"; and another of
# the project, of the wrong type.
CLIENT_ID = "407408718192-tvs.apps.googleusercontent.com"
CLIENT_SECRET = "GOCSPX-a-stand-in-has-no-secrets-0"
WEB_CLIENT_ID = "407408718192-web.apps.googleusercontent.com"
DEVICE_PAGE = "https://www.google.com/device"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# Of before RFC 8628, with `code`; the libraries of then still send it.
OLD_DEVICE_GRANT = "http://oauth.net/grant_type/device/1.0"
_API = "https://www.googleapis.com/auth/"
ALLOWED_SCOPES = {
    *("email", "openid", "profile"),
    *(f"{_API}{name}" for name in ("youtube", "youtube.readonly", "drive.appdata", "drive.file")),
    *(f"{_API}userinfo.email", f"{_API}userinfo.profile"),
}
_URL_SAFE = string.ascii_letters + string.digits + "-_"
_NOT_FOUND = "<!DOCTYPE html><html lang=en><title>Error 404 (Not Found)!!1</title>"
_POLLED = {
    "pending": (428, "authorization_pending", "Precondition Required"),
    "slow_down": (403, "slow_down", "Forbidden"),
    "denied": (403, "access_denied", "Forbidden"),
    "used": (400, "invalid_grant", "Malformed auth code."),
}


class OAuth:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def routes(self) -> list[Route]:
        return [
            Route("/device/code", self.new_codes, methods=["POST"]),
            Route("/token", self.token, methods=["POST"]),
            Route("/revoke", self.revoke, methods=["GET", "POST"]),
            Route("/tokeninfo", self.token_info, methods=["GET"]),
        ]

    async def new_codes(self, request: Request) -> Response:
        fields = await _fields(request)
        if not text(fields, "client_id"):
            missing = "Could not determine client ID from request."
            return refused(400, "invalid_request", missing)
        wrong = _wrong_client(text(fields, "client_id"))
        if wrong is not None:
            return wrong
        scopes = text(fields, "scope").split()
        if not scopes:
            return refused(400, "invalid_request", "Missing required parameter: scope")
        if not ALLOWED_SCOPES.issuperset(scopes):
            strange = [one for one in scopes if one not in ALLOWED_SCOPES]
            return refused(400, "invalid_scope", f"Invalid device flow scope: {strange}")
        if self._settings.codes_exceeded:
            return JSONResponse({"error_code": "rate_limit_exceeded"}, 403)
        user_code = "-".join(_chosen(string.ascii_uppercase, 4) for _ in range(2))
        code = "AH-1Ng" + _chosen(_URL_SAFE, 82)
        device = self._store.add_device(code, user_code, CLIENT_ID, " ".join(scopes))
        return JSONResponse(
            {
                "device_code": device.device_code,
                "user_code": device.user_code,
                "expires_in": number(self._settings.device_expires_in),
                "interval": number(self._settings.device_interval),
                "verification_url": DEVICE_PAGE,
            }
        )

    async def token(self, request: Request) -> Response:
        fields = await _fields(request)
        wrong = _wrong_grant(fields) or _wrong_client(text(fields, "client_id"))
        wrong = wrong or _wrong_secret(fields)
        if wrong is not None:
            return wrong
        if fields["grant_type"] == "refresh_token":
            return self._renew(text(fields, "refresh_token"))
        named = "device_code" if fields["grant_type"] == DEVICE_GRANT else "code"
        device = self._store.devices.get(text(fields, named))
        if device is None:
            return refused(400, "invalid_grant", "Malformed auth code.")
        return self._poll(device)

    def _poll(self, device: Device) -> Response:
        found = self._store.poll(device)
        if found == "expired":
            return refused(400, self._settings.expired_code, "Bad Request")
        if found in _POLLED:
            return refused(*_POLLED[found])
        grant = self._store.collect(device)
        refresh = "1//0" + _chosen(_URL_SAFE, 99)
        self._store.issue(grant, "refresh", refresh, self._settings.refresh_lifetime)
        self._drop_the_oldest(grant)
        return JSONResponse(self._access(grant) | {"refresh_token": refresh})

    def _renew(self, token: str) -> Response:
        if self._store.find(token) is None:
            return refused(400, "invalid_grant", "Bad Request")
        grant = self._store.accepted(token, "refresh")
        if grant is None:
            over = "Token has been expired or revoked."
            return refused(400, "invalid_grant", over)
        grant.renewals += 1
        return JSONResponse(self._access(grant))

    async def revoke(self, request: Request) -> Response:
        if request.method == "GET":
            return Response(_NOT_FOUND, 404, media_type="text/html")
        token = request.query_params.get("token") or text(await _fields(request), "token")
        if not token:
            return refused(400, "invalid_request", "Missing required parameter: token")
        store = self._store
        grant = store.accepted(token, "refresh") or store.accepted(token, "access")
        if grant is None or not grant.alive:
            return refused(400, "invalid_token", "Token expired or revoked")
        if not is_dry_run(request.headers):
            grant.revocations += 1
            store.end(grant, "revoked")
        return JSONResponse({})

    async def token_info(self, request: Request) -> Response:
        token = request.query_params.get("access_token")
        grant = self._store.accepted(token, "access")
        found = self._store.find(token)
        if grant is None or found is None:
            return refused(400, "invalid_token", "Invalid Value")
        expires_at = int(found[1].expires_at)
        told = {
            "azp": grant.client_id,
            "aud": grant.client_id,
            "scope": grant.scope,
            "exp": str(expires_at),
            "expires_in": str(expires_at - int(self._store.now())),
            "access_type": "offline",
        }
        if "openid" in grant.scope.split():
            told["sub"] = self._store.user_of(grant).id
        return JSONResponse(told)

    def _access(self, grant: Grant) -> dict[str, Any]:
        token = "ya29." + _chosen(_URL_SAFE, 160)
        lifetime = self._settings.access_lifetime
        self._store.issue(grant, "access", token, lifetime)
        return {
            "access_token": token,
            "expires_in": number(lifetime),
            "scope": grant.scope,
            "token_type": "Bearer",
        }

    def _drop_the_oldest(self, newest: Grant) -> None:
        """One more than an account may have for a client, and the oldest is invalid."""
        theirs = [
            one for one in self._store.sessions.values() if one.alive and one.email == newest.email
        ]
        for grant in theirs[: -self._settings.most_refresh_tokens]:
            grant.alive, grant.ended_by = False, "too many"
            self._store.end_tokens(grant, "refresh")


def refused(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status)


def _wrong_client(client_id: str) -> Response | None:
    if client_id == WEB_CLIENT_ID:
        return refused(401, "invalid_client", "Invalid client type.")
    if client_id != CLIENT_ID:
        return refused(401, "invalid_client", "The OAuth client was not found.")
    return None


def _wrong_grant(fields: dict[str, Any]) -> Response | None:
    given = text(fields, "grant_type")
    if not given:
        return refused(400, "invalid_request", "Missing required parameter: grant_type")
    if given not in (DEVICE_GRANT, OLD_DEVICE_GRANT, "refresh_token"):
        return refused(400, "unsupported_grant_type", f"Invalid grant_type: {given}")
    return None


def _wrong_secret(fields: dict[str, Any]) -> Response | None:
    """It is optional for a renewal, they say."""
    secret = text(fields, "client_secret")
    if not secret and fields["grant_type"] != "refresh_token":
        return refused(400, "invalid_request", "client_secret is missing.")
    if secret and secret != CLIENT_SECRET:
        return refused(401, "invalid_client", "The provided client secret is invalid.")
    return None


async def _fields(request: Request) -> dict[str, Any]:
    if content_type(request) == "application/json":
        return await json_fields(request) or {}
    return dict(await form_fields(request))


def _chosen(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))
