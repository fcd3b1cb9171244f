"""The fields of a request's body, as the content type says that they are written."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request


def content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def form_fields(request: Request) -> dict[str, str]:
    """Of a form in either encoding; nothing of another body. A repeated field's first counts."""
    kind = content_type(request)
    if kind == "application/x-www-form-urlencoded":
        text = (await request.body()).decode("utf-8", "replace")
        return dict(reversed(parse_qsl(text, keep_blank_values=True)))
    if kind == "multipart/form-data":
        fields = (await request.form()).multi_items()
        return {name: value for name, value in reversed(fields) if isinstance(value, str)}
    return {}


async def json_fields(request: Request) -> dict[str, Any] | None:
    """A JSON object; None when the body is none."""
    try:
        value = json.loads(await request.body())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""
