"""What the tests say to the Jellyfin server, by the standard library alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tests.servers.exchange import Reply, exchange
from tests.servers.fixture import StandIn

BASE = "https://jellyfin.home-demo.example"
BY = {"Client": "Check", "Device": "Living room", "DeviceId": "device-1", "Version": "1.0"}


def header(token: str = "", scheme: str = "MediaBrowser", **changed: str) -> str:
    values = {**BY, **changed, **({"Token": token} if token else {})}
    pairs = (f'{name}="{quote(value)}"' for name, value in values.items() if value)
    return f"{scheme} {', '.join(pairs)}"


def ask(server: StandIn, method: str, path: str, token: str = "", body: Any = None) -> Reply:
    headers = {"Authorization": f'MediaBrowser Token="{token}"'} if token else {}
    return exchange(server, method, BASE + path, headers, body)


def try_login(
    server: StandIn, name: str = StandIn.VIEWER[0], password: str = StandIn.VIEWER[1], **by: str
) -> Reply:
    body = {"Username": name, "Pw": password}
    url = f"{BASE}/Users/AuthenticateByName"
    return exchange(server, "POST", url, {"Authorization": header(**by)}, body)


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER, **by: str) -> str:
    reply = try_login(server, *who, **by)
    assert reply.status == 200
    token: str = reply.json["AccessToken"]
    return token


def status(server: StandIn, token: str) -> int:
    return ask(server, "GET", "/Users/Me", token).status
