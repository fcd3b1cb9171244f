"""Twitch's requests, one function each, for the tests of the stand-in."""

from __future__ import annotations

from typing import Any

from tests.servers.fixture import StandIn
from tests.servers.grants.client import Answer, ask

ID = "https://id.twitch.tv/oauth2"
USERS = "https://api.twitch.tv/helix/users"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
OTHER_CLIENT = "hof5gwx0su6owfnys0yan9c87zr6t"
SCOPES = "user:read:email user:read:follows"


def post(server: StandIn, path: str, **form: str) -> Answer:
    return ask(server, "POST", ID + path, form={**server.parameters, **form})


def users(server: StandIn, token: str, client_id: str | None = None) -> Answer:
    wanted = server.parameters["client_id"] if client_id is None else client_id
    return ask(server, "GET", USERS, authorization=f"Bearer {token}", client_id=wanted)


def validate(server: StandIn, token: str, scheme: str = "OAuth") -> Answer:
    return ask(server, "GET", f"{ID}/validate", authorization=f"{scheme} {token}")


def codes(server: StandIn, scopes: str = SCOPES) -> dict[str, Any]:
    answer = post(server, "/device", scopes=scopes)
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def poll(server: StandIn, code: str, **changed: str) -> Answer:
    given = {"scopes": SCOPES, **changed}
    return post(server, "/token", device_code=code, grant_type=GRANT, **given)


def log_in(
    server: StandIn, who: tuple[str, str] = StandIn.VIEWER, scopes: str = "user:read:email"
) -> dict[str, Any]:
    found = codes(server, scopes)
    server.approve(found["user_code"], *who)
    answer = poll(server, found["device_code"], scopes=scopes)
    assert answer.status == 200
    tokens: dict[str, Any] = answer.json
    return tokens


def renew(server: StandIn, token: str, **changed: str) -> Answer:
    return post(server, "/token", grant_type="refresh_token", refresh_token=token, **changed)


def refusal(answer: Answer) -> tuple[int, str]:
    assert answer.json["status"] == answer.status
    return answer.status, answer.json["message"]
