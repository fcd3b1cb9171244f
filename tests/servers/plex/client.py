"""What the tests say to plex.tv, by the standard library alone."""

from __future__ import annotations

from typing import Any

from tests.servers.exchange import Reply, exchange
from tests.servers.fixture import StandIn

PLEX = "https://plex.tv"
BY = {
    "X-Plex-Client-Identifier": "client-1",
    "X-Plex-Product": "Check",
    "X-Plex-Device-Name": "Living room",
    "Accept": "application/json",
}


def ask(
    server: StandIn, method: str, path: str, token: str = "", base: str = PLEX, **changed: str
) -> Reply:
    """Names of headers with _ for -."""
    headers = {**BY, **{name.replace("_", "-"): value for name, value in changed.items()}}
    headers = {name: value for name, value in headers.items() if value}
    if token:
        headers["X-Plex-Token"] = token
    return exchange(server, method, base + path, headers)


def make_pin(server: StandIn, query: str = "", **changed: str) -> dict[str, Any]:
    reply = ask(server, "POST", f"/api/v2/pins{query}", **changed)
    assert reply.status == 201
    pin: dict[str, Any] = reply.json
    return pin


def log_in(
    server: StandIn, who: tuple[str, str] = StandIn.VIEWER, identifier: str = "client-1"
) -> str:
    pin = make_pin(server, X_Plex_Client_Identifier=identifier)
    server.approve(pin["code"], *who)
    linked = ask(server, "GET", f"/api/v2/pins/{pin['id']}", X_Plex_Client_Identifier=identifier)
    token: str = linked.json["authToken"]
    return token


def status(server: StandIn, token: str) -> int:
    return ask(server, "GET", "/api/v2/user", token).status
