"""What plex.tv answers, in JSON for those who ask for it and in XML for everybody else."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime, timezone
from typing import Any
from xml.sax.saxutils import quoteattr

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.servers.front.store import User

from .store import Pin, Session

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_ERRORS = {
    1000: (400, "X-Plex-Client-Identifier is missing"),
    1001: (401, "User could not be authenticated"),
    1002: (404, "The requested resource or endpoint could not be found"),
    1004: (
        400,
        "The request was malformed, missed a required parameter or contained invalid values "
        "for them",
    ),
    1005: (405, "The request method is not allowed for this endpoint"),
    1020: (404, "Code not found or expired"),
}
_LOCATION = {
    "code": "XX",
    "european_union_member": False,
    "continent_code": "XX",
    "country": "Nowhere",
    "city": "Nowhere",
    "time_zone": "Etc/UTC",
    "postal_code": "00000",
    "in_privacy_restricted_country": False,
    "in_privacy_restricted_region": False,
    "subdivisions": "Nowhere",
    "coordinates": "0, 0",
}


class Refused(Exception):
    """With one of the codes of plex.tv."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    status, message = _ERRORS[error.code]
    body = {"code": error.code, "message": message, "status": status}
    if wants_json(request):
        return JSONResponse({"errors": [body]}, status)
    return xml(f"<errors>{_element('error', body)}</errors>", status)


def refused_by_router(request: Request, error: Exception) -> Response:
    return refused(request, Refused(1005 if getattr(error, "status_code", 0) == 405 else 1002))


def wants_json(request: Request) -> bool:
    if request.url.path.endswith(".json"):
        return True
    return "application/json" in request.headers.get("accept", "")


def told(request: Request, name: str, fields: dict[str, Any], status: int = 200) -> Response:
    """An object; in XML an element of this name, with attributes."""
    if wants_json(request):
        return JSONResponse(fields, status)
    return xml(_element(name, fields), status)


def xml(text: str, status: int = 200) -> Response:
    return Response(_HEAD + text, status, media_type="application/xml")


def pin_fields(pin: Pin, now: float) -> dict[str, Any]:
    qr = {} if pin.strong else {"qr": f"https://plex.tv/api/v2/pins/qr/{pin.code}"}
    return {
        "id": pin.id,
        "code": pin.code,
        "product": pin.product or None,
        "trusted": False,
        **qr,
        "clientIdentifier": pin.identifier,
        "location": _LOCATION,
        "expiresIn": math.ceil(pin.expires_at - now),
        "createdAt": _moment(pin.made_at),
        "expiresAt": _moment(pin.expires_at),
        "authToken": pin.token or None,
        "newRegistration": None,
    }


def user_fields(user: User, token: str) -> dict[str, Any]:
    """With the token that asked."""
    return {
        "id": int(user.id) if user.id.isdigit() else user.id,
        "uuid": hashlib.sha256(user.id.encode()).hexdigest()[:16],
        "username": user.email,
        "title": user.name,
        "email": user.email,
        "friendlyName": user.name,
        "locale": None,
        "confirmed": True,
        "joinedAt": 1_500_000_000,
        "emailOnlyAuth": False,
        "hasPassword": True,
        "protected": False,
        "thumb": "https://plex.tv/users/0/avatar",
        "authToken": token,
        "mailingListActive": False,
        "scrobbleTypes": "",
        "country": "XX",
        "restricted": False,
        "home": False,
        "guest": False,
        "homeSize": 1,
        "twoFactorEnabled": False,
        "subscription": {"active": False, "status": "Inactive", "plan": None},
        "profile": {
            "autoSelectAudio": True,
            "defaultAudioLanguage": None,
            "autoSelectSubtitle": 0,
            "defaultSubtitleAccessibility": 0,
            "defaultSubtitleForced": 0,
        },
    }


def device_list(sessions: list[Session]) -> Response:
    """Always XML. A device's token is the newest of its."""
    newest = {one.device_id: one for one in sessions}
    devices = [
        {
            "name": one.client["name"],
            "publicAddress": "192.0.2.1",
            "product": one.product,
            "productVersion": one.client["version"],
            "platform": one.client["platform"],
            "platformVersion": "",
            "device": one.client["device"],
            "model": "",
            "vendor": "",
            "provides": one.provides,
            "clientIdentifier": one.identifier,
            "version": "",
            "id": one.device_id,
            "token": one.token,
            "createdAt": int(one.made_at),
            "lastSeenAt": int(one.made_at),
        }
        for one in newest.values()
    ]
    inside = "".join(_element("Device", one) for one in devices)
    return xml(f'<MediaContainer publicAddress="192.0.2.1">{inside}</MediaContainer>')


def no_devices() -> Response:
    """The older part of plex.tv refuses in its own way."""
    return xml("<errors>\n  <error>Invalid authentication token.</error>\n</errors>\n", 401)


def _element(name: str, fields: dict[str, Any]) -> str:
    inside = "".join(_element(n, one) for n, one in fields.items() if isinstance(one, dict))
    plain = {n: one for n, one in fields.items() if not isinstance(one, dict)}
    attributes = "".join(f" {n}={quoteattr(_text(one))}" for n, one in plain.items())
    return f"<{name}{attributes}>{inside}</{name}>" if inside else f"<{name}{attributes}/>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
