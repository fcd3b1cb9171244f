"""Google's requests, one function each, for the tests of the stand-in."""

from __future__ import annotations

from typing import Any

from tests.servers.fixture import StandIn
from tests.servers.grants.client import Answer, ask

OAUTH = "https://oauth2.googleapis.com"
CHANNELS = "https://www.googleapis.com/youtube/v3/channels?part=snippet&mine=true"
SCOPE = "https://www.googleapis.com/auth/youtube.readonly"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def post(server: StandIn, path: str, form: dict[str, str]) -> Answer:
    return ask(server, "POST", OAUTH + path, form=form)


def get(server: StandIn, token: str, url: str = CHANNELS) -> Answer:
    return ask(server, "GET", url, authorization=f"Bearer {token}" if token else "")


def codes(server: StandIn, scope: str = SCOPE) -> dict[str, Any]:
    form = {"client_id": server.parameters["client_id"], "scope": scope}
    answer = post(server, "/device/code", form)
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def poll(server: StandIn, code: str, **changed: str) -> Answer:
    form = {"device_code": code, "grant_type": GRANT, **server.parameters, **changed}
    return post(server, "/token", form)


def log_in(
    server: StandIn, who: tuple[str, str] = StandIn.VIEWER, scope: str = SCOPE
) -> dict[str, Any]:
    found = codes(server, scope)
    server.approve(found["user_code"], *who)
    answer = poll(server, found["device_code"])
    assert answer.status == 200
    tokens: dict[str, Any] = answer.json
    return tokens


def renew(server: StandIn, token: str, **changed: str) -> Answer:
    form = {"grant_type": "refresh_token", "refresh_token": token, **server.parameters, **changed}
    return post(server, "/token", form)


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]
