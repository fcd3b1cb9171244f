"""The API of WorkOS, as far as an application and a device use it; names as its reference has them.

Errors come in the three shapes of the real one: {"error", "error_description"} for OAuth,
{"code", "message"} for what a user did, {"message"} for the rest.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.servers.front.service import is_dry_run

from .devices import Devices
from .store import Refused, Session, Store, User

HOST = "api.workos.com"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
# Where WorkOS sends a browser that it knows no other place for.
NO_HOMEPAGE = "https://error.workos.com/user_management/app-homepage-url-not-found"


class Api:
    def __init__(
        self, store: Store, devices: Devices, client_id: str, api_key: str, registered: set[str]
    ) -> None:
        self._store = store
        self._devices = devices
        self._client_id = client_id
        self._api_key = api_key
        # The sign-out redirects of the application.
        self._registered = registered

    def routes(self) -> list[Route]:
        at = "/user_management"
        return [
            Route(f"{at}/authenticate", self.authenticate, methods=["POST"]),
            Route(f"{at}/authorize/device", self.authorize_device, methods=["POST"]),
            Route(f"{at}/sessions/logout", self.log_out, methods=["GET"]),
            Route(f"{at}/sessions/revoke", self.revoke, methods=["POST"]),
            Route(f"{at}/users/{{id}}", self.user, methods=["GET"]),
            Route(f"{at}/users/{{id}}/sessions", self.sessions, methods=["GET"]),
            Route("/sso/jwks/{client_id}", self.key_set, methods=["GET"]),
        ]

    # For anybody

    async def authenticate(self, request: Request) -> Response:
        fields = await _fields(request)
        grant = _required(fields, "grant_type")
        self._check_client(fields, secret_needed=grant == "password")
        agent = fields.get("user_agent") or request.headers.get("user-agent")
        if grant == "refresh_token":
            user, access, refresh = self._store.renew(_required(fields, "refresh_token"))
        elif grant == DEVICE_GRANT:
            user = self._devices.poll(_required(fields, "device_code"))
            access, refresh = self._store.begin(user, agent)
        elif grant == "password":
            email, password = _required(fields, "email"), _required(fields, "password")
            found = self._store.check_password(email, password)
            if found is None:
                error = {"code": "invalid_credentials", "message": "Invalid credentials."}
                return _json(error, 400)
            user = found
            access, refresh = self._store.begin(user, agent)
        else:
            raise Refused("invalid_request", f"Unsupported grant_type: {grant}")
        answer = {"user": _user(user), "access_token": access, "refresh_token": refresh}
        return _json({**answer, "authentication_method": "Password"})

    async def authorize_device(self, request: Request) -> Response:
        if _required(await _fields(request), "client_id") != self._client_id:
            raise Refused("invalid_client", "Unknown client")
        return _json(self._devices.begin())

    async def log_out(self, request: Request) -> Response:
        """End the session, whoever asks, and send the browser on. One that is unknown or over is
        sent on all the same."""
        session_id = request.query_params.get("session_id")
        if not session_id:
            return _json({"message": "Validation failed: session_id is required."}, 422)
        session = self._store.sessions.get(session_id)
        if session is not None and not is_dry_run(request.headers):
            self._store.end(session, "logout")
        return_to = request.query_params.get("return_to", "")
        if return_to not in self._registered:
            return_to = self._store.settings.homepage or NO_HOMEPAGE
        return RedirectResponse(return_to, 302, headers={"cache-control": "no-store"})

    async def key_set(self, request: Request) -> Response:
        if request.path_params["client_id"] != self._client_id:
            return _json({"message": "Not Found"}, 404)
        return _json(self._store.key_set())

    # For the application, by its API key

    async def user(self, request: Request) -> Response:
        user = self._store.user(request.path_params["id"])
        if not self._is_application(request):
            return _json({"message": "Unauthorized"}, 401)
        return _json(_user(user)) if user else _not_found("User", request.path_params["id"])

    async def sessions(self, request: Request) -> Response:
        """The active ones, newest first, in pages."""
        if not self._is_application(request):
            return _json({"message": "Unauthorized"}, 401)
        user = self._store.user(request.path_params["id"])
        if user is None:
            return _not_found("User", request.path_params["id"])
        limit = request.query_params.get("limit", "10")
        if not limit.isdigit() or not 1 <= int(limit) <= 100:
            error = {"code": "invalid_request_parameters", "message": "Validation failed."}
            return _json(error, 422)
        known = reversed(self._store.sessions.values())
        active = [s for s in known if s.user_id == user.id and self._store.lives(s)]
        after = request.query_params.get("after")
        start = next((n for n, s in enumerate(active, 1) if s.id == after), 0)
        page, rest = active[start : start + int(limit)], active[start + int(limit) :]
        pages = {"before": None, "after": page[-1].id if rest else None}
        data = [_session(session) for session in page]
        return _json({"object": "list", "data": data, "list_metadata": pages})

    async def revoke(self, request: Request) -> Response:
        if not self._is_application(request):
            return _json({"message": "Unauthorized"}, 401)
        session_id = (await _fields(request)).get("session_id", "")
        session = self._store.sessions.get(session_id)
        if session is None:
            return _not_found("Session", session_id)
        if not is_dry_run(request.headers):
            self._store.end(session, "revoked")
        return Response(status_code=200)

    def _is_application(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self._api_key}"

    def _check_client(self, fields: dict[str, str], *, secret_needed: bool) -> None:
        """A public client sends no secret; a wrong one is refused whatever the grant."""
        if _required(fields, "client_id") != self._client_id:
            raise Refused("invalid_client", "Invalid client ID.")
        if secret_needed:
            _required(fields, "client_secret")
        if fields.get("client_secret", self._api_key) != self._api_key:
            raise Refused("invalid_client", "Invalid client secret.")


async def oauth_error(_: Request, refused: Exception) -> Response:
    """RFC 6749, section 5.2."""
    assert isinstance(refused, Refused)
    return _json({"error": refused.error, "error_description": refused.description}, 400)


async def _fields(request: Request) -> dict[str, str]:
    """The texts of a JSON body or of a form; both are taken everywhere."""
    body = (await request.body()).decode("utf-8", "replace")
    if "json" not in request.headers.get("content-type", ""):
        return dict(parse_qsl(body, keep_blank_values=True))
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    fields = value.items() if isinstance(value, dict) else ()
    return {name: text for name, text in fields if isinstance(text, str)}


def _required(fields: dict[str, str], name: str) -> str:
    if not fields.get(name):
        raise Refused("invalid_request", f"Missing required parameter: {name}")
    return fields[name]


def _user(user: User) -> dict[str, Any]:
    first, _, last = user.name.partition(" ")
    return {
        "object": "user",
        "id": user.id,
        "email": user.email,
        "email_verified": True,
        "first_name": first,
        "last_name": last or None,
        "name": user.name,
        "profile_picture_url": None,
        "locale": None,
        "external_id": None,
        "metadata": {},
        "last_sign_in_at": _time(user.last_sign_in_at),
        "created_at": _time(user.created_at),
        "updated_at": _time(user.last_sign_in_at or user.created_at),
    }


def _session(session: Session) -> dict[str, Any]:
    return {
        "object": "session",
        "id": session.id,
        "user_id": session.user_id,
        "ip_address": None,
        "user_agent": session.user_agent,
        "auth_method": "password",
        "status": "active",
        "expires_at": _time(session.expires_at),
        "ended_at": None,
        "created_at": _time(session.created_at),
        "updated_at": _time(session.created_at),
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _not_found(kind: str, id: str) -> Response:
    return _json({"code": "entity_not_found", "message": f"{kind} not found: '{id}'."}, 404)


def _json(value: Any, status: int = 200) -> Response:
    return JSONResponse(value, status, {"cache-control": "no-store"})
