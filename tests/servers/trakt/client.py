"""Trakt's requests, one function each, for the tests of the stand-in."""

from __future__ import annotations

from typing import Any

from tests.servers.fixture import StandIn
from tests.servers.grants.client import Answer, ask

API = "https://api.trakt.tv"


def post(server: StandIn, path: str, body: dict[str, Any]) -> Answer:
    return ask(server, "POST", API + path, body=body)


def get(server: StandIn, token: str = "", path: str = "/users/settings", **changed: str) -> Answer:
    headers: dict[str, Any] = {
        "content_type": "application/json",
        "trakt_api_key": server.parameters["client_id"],
        "trakt_api_version": "2",
        "authorization": f"Bearer {token}" if token else "",
        **changed,
    }
    return ask(server, "GET", API + path, **headers)


def codes(server: StandIn) -> dict[str, Any]:
    answer = post(server, "/oauth/device/code", {"client_id": server.parameters["client_id"]})
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def poll(server: StandIn, code: str, **changed: str) -> Answer:
    return post(server, "/oauth/device/token", {"code": code, **server.parameters, **changed})


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> dict[str, Any]:
    found = codes(server)
    server.approve(found["user_code"], *who)
    answer = poll(server, found["device_code"])
    assert answer.status == 200
    tokens: dict[str, Any] = answer.json
    return tokens


def renew(server: StandIn, token: str, **changed: str) -> Answer:
    given = {
        "refresh_token": token,
        "grant_type": "refresh_token",
        "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
        **server.parameters,
        **changed,
    }
    return post(server, "/oauth/token", given)


def revoke(server: StandIn, token: str, **changed: str) -> Answer:
    return post(server, "/oauth/revoke", {"token": token, **server.parameters, **changed})
