"""What the tests say to the Emby server, by the standard library alone."""

from __future__ import annotations

from tests.servers.exchange import Reply, exchange
from tests.servers.fixture import StandIn

BASE = "https://emby.home-demo.example"
BY = {"Client": "Check", "Device": "Living room", "DeviceId": "device-1", "Version": "1.0"}


def header(token: str = "", scheme: str = "Emby", **changed: str) -> str:
    values = {**BY, **changed, **({"Token": token} if token else {})}
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in values.items() if value)


def ask(server: StandIn, method: str, path: str, token: str = "") -> Reply:
    return exchange(server, method, BASE + path, {"X-Emby-Token": token} if token else {})


def try_login(
    server: StandIn, name: str = StandIn.VIEWER[0], password: str = StandIn.VIEWER[1], **by: str
) -> Reply:
    body = {"Username": name, "Pw": password}
    url = f"{BASE}/emby/Users/AuthenticateByName"
    return exchange(server, "POST", url, {"X-Emby-Authorization": header(**by)}, body)


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER, **by: str) -> str:
    reply = try_login(server, *who, **by)
    assert reply.status == 200
    token: str = reply.json["AccessToken"]
    return token


def status(server: StandIn, token: str) -> int:
    return ask(server, "GET", "/emby/System/Info", token).status
