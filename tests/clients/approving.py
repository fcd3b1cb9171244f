"""What a user does in a browser while a script here waits: asked of the stand-in's control."""

from __future__ import annotations

import json
import urllib.request

# The proxy of the environment leads to the stand-in's service; its control is beside that.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def approve(control: str, user_code: str, username: str, password: str) -> None:
    given = {"user_code": user_code, "username": username, "password": password}
    request = urllib.request.Request(
        f"{control}/approve", json.dumps(given).encode(), {"Content-Type": "application/json"}
    )
    with _OPENER.open(request, timeout=10) as answer:
        answer.read()
