"""How Jellyfin refuses: ASP.NET's problems, and the one text of its exception handler."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_RFC = "https://tools.ietf.org/html/rfc9110#section-15.5."
_TITLES = {
    400: ("1", "One or more validation errors occurred."),
    404: ("5", "Not Found"),
    415: ("16", "Unsupported Media Type"),
}


class Refused(Exception):
    """What stops a request, with the status that it has by its kind of exception."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def refused(_: Request, error: Exception) -> Response:
    """The text of the exception is for developers alone."""
    assert isinstance(error, Refused)
    return Response("Error processing request.", error.status, media_type="text/plain")


def bare(_: Request, error: Exception) -> Response:
    """A refusal of the routing or of the authorization: no body."""
    status: int = getattr(error, "status_code", 500)
    headers = getattr(error, "headers", None)
    return Response(status_code=status, headers=headers)


def problem(status: int, **errors: list[str]) -> Response:
    section, title = _TITLES[status]
    body: dict[str, Any] = {"type": _RFC + section, "title": title, "status": status}
    if errors:
        body["errors"] = errors
    body["traceId"] = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
    return JSONResponse(body, status, media_type="application/problem+json; charset=utf-8")
