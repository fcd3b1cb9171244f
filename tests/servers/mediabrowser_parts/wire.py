"""How both servers take a request: paths without regard to case, and fields as well."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

_JSON = ("application/json", "text/json")


class NotJson(Exception):
    """The body is not a JSON object."""


class AnyCase:
    """The application's routes are in lower case; a prefix that the server knows is taken off."""

    def __init__(self, application: ASGIApp, prefixes: tuple[str, ...] = ()) -> None:
        self._application = application
        self._prefixes = prefixes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].lower()
        for prefix in self._prefixes:
            if path.startswith(f"{prefix}/"):
                path = path[len(prefix) :]
        await self._application({**scope, "path": path, "raw_path": path.encode()}, receive, send)


def is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind in _JSON or (kind.startswith("application/") and kind.endswith("+json"))


async def fields_of(request: Request) -> dict[str, Any]:
    """A JSON object's fields by names in lower case. Raises NotJson."""
    try:
        given = json.loads(await request.body())
    except ValueError as error:
        raise NotJson from error
    if not isinstance(given, dict):
        raise NotJson
    return {name.lower(): value for name, value in given.items()}


def query_of(request: Request) -> dict[str, str]:
    """By names in lower case; of two the first."""
    return {name.lower(): text for name, text in reversed(request.query_params.multi_items())}
