"""How an OCS answer is written: version 1 or 2, JSON or XML."""

from __future__ import annotations

import html
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

UNAUTHORISED = 997


def answer(request: Request, data: Any) -> Response:
    version = request.path_params["version"]
    return _write(request, 200, _meta("ok", 100 if version == "v1" else 200, "OK"), data)


def failure(request: Request, code: int, message: str) -> Response:
    """Version 1 says HTTP 200 to all but who is not logged in."""
    status = 401 if code == UNAUTHORISED else code
    if request.path_params["version"] == "v1" and status != 401:
        status = 200
    return _write(request, status, _meta("failure", code, message), [])


def _meta(status: str, code: int, message: str) -> dict[str, Any]:
    return {"status": status, "statuscode": code, "message": message}


def _write(request: Request, status: int, meta: dict[str, Any], data: Any) -> Response:
    if request.path_params["version"] == "v1":
        meta.update(totalitems="", itemsperpage="")
    asked = request.query_params.get("format")
    if asked is None and "application/json" in request.headers.get("accept", ""):
        asked = "json"
    if asked == "json":
        return JSONResponse({"ocs": {"meta": meta, "data": data}}, status)
    text = f'<?xml version="1.0"?>\n<ocs>{_xml("meta", meta)}{_xml("data", data)}</ocs>\n'
    return Response(text, status, media_type="application/xml; charset=utf-8")


def _xml(name: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = "".join(_xml(key, one) for key, one in value.items())
    elif isinstance(value, list):
        inner = "".join(_xml("element", one) for one in value)
    else:
        inner = html.escape("1" if value is True else "" if value is False else str(value))
    return f"<{name}>{inner}</{name}>"
