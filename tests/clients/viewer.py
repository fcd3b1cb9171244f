"""The person in front of the screen: allows what a program shows a code for."""

from __future__ import annotations

import json
import urllib.request

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def approve(control: str, code: str, name: str, password: str) -> None:
    """What the stand-in's control interface does as this person's browser would."""
    given = {"user_code": code, "username": name, "password": password}
    body = json.dumps(given).encode()
    _OPENER.open(urllib.request.Request(f"{control}/approve", body), timeout=10).close()
