"""What is asked with an access token: the account's channel, and who the account is."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.front.request import bearer
from tests.servers.grants.store import Grant, Store

from .settings import Settings

_SCOPES = {f"https://www.googleapis.com/auth/{name}" for name in ("youtube", "youtube.readonly")}
_HEADER = {"location": "Authorization", "locationType": "header"}


class Api:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def youtube(self) -> list[Route]:
        return [Route("/youtube/v3/channels", self.channels, methods=["GET"])]

    def userinfo(self, path: str) -> list[Route]:
        return [Route(path, self.who, methods=["GET", "POST"])]

    async def channels(self, request: Request) -> Response:
        grant = self._grant(request)
        if isinstance(grant, Response):
            return grant
        if _SCOPES.isdisjoint(grant.scope.split()):
            return _refused(
                403,
                "Request had insufficient authentication scopes.",
                "PERMISSION_DENIED",
                {"message": "Insufficient Permission", "reason": "insufficientPermissions"},
            )
        if self._settings.quota_exceeded:
            exceeded = "The request cannot be completed because you have exceeded your quota."
            named = {"message": exceeded, "domain": "youtube.quota", "reason": "quotaExceeded"}
            return _refused(403, exceeded, "", named)
        query = request.query_params
        for wanted, filled in (("part", "part" in query), ("mine", query.get("mine") == "true")):
            if not filled:
                missing = f"No filter selected. Expected one of: {wanted}"
                named = {"message": missing, "reason": "missingRequiredParameter"}
                return _refused(400, missing, "INVALID_ARGUMENT", named)
        return JSONResponse(self._channels_of(grant))

    async def who(self, request: Request) -> Response:
        grant = self._grant(request)
        if isinstance(grant, Response):
            return grant
        scopes = {one.rpartition("/userinfo.")[2] for one in grant.scope.split()}
        if scopes.isdisjoint(("openid", "profile", "email")):
            return _unauthenticated()
        user = self._store.user_of(grant)
        told: dict[str, Any] = {"sub": user.id}
        if "profile" in scopes:
            told |= {"name": user.name, "picture": "https://lh3.googleusercontent.com/a/none"}
        if "email" in scopes:
            told |= {"email": user.email, "email_verified": True}
        return JSONResponse(told)

    def _grant(self, request: Request) -> Grant | Response:
        token = bearer(request.headers) or request.query_params.get("access_token")
        return self._store.accepted(token, "access") or _unauthenticated()

    def _channels_of(self, grant: Grant) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "kind": "youtube#channelListResponse",
            "etag": "RuuXzTIr0OoDqI4S0RU6n4FqKEM",
            "pageInfo": {"totalResults": int(self._settings.has_channel), "resultsPerPage": 5},
        }
        if self._settings.has_channel:
            user = self._store.user_of(grant)
            digest = hashlib.sha256(user.id.encode()).digest()
            answer["items"] = [
                {
                    "kind": "youtube#channel",
                    "etag": "z9EeGeZLEBgYLlsyzAHxFPJvzzE",
                    "id": "UC" + base64.urlsafe_b64encode(digest)[:22].decode(),
                    "snippet": {"title": user.name, "description": "", "customUrl": "@viewer"},
                }
            ]
        return answer


def _unauthenticated() -> Response:
    message = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
        "cookie or other valid authentication credential. "
        "See https://developers.google.com/identity/sign-in/web/devconsole-project."
    )
    named = {"message": "Invalid Credentials", "reason": "authError", **_HEADER}
    refused = _refused(401, message, "UNAUTHENTICATED", named)
    refused.headers["www-authenticate"] = (
        'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    )
    return refused


def _refused(status: int, message: str, name: str, error: dict[str, str]) -> Response:
    told: dict[str, Any] = {"code": status, "message": message}
    told["errors"] = [{"domain": "global", **error}]
    if name:
        told["status"] = name
    return JSONResponse({"error": told}, status)
