"""A device without a line of ours: for the stand-in's own tests, over TLS through the front."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any

from tests.servers.client import connect
from tests.servers.fixture import StandIn
from tests.servers.person import Browser

ISSUER = "https://op.oidc-demo.example"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPE = "openid email profile offline_access"
PUBLIC = {"client_id": "sessionkeeper"}
CONFIDENTIAL = {
    "client_id": "sessionkeeper-confidential",
    "client_secret": "a secret that is in this file",
}


class Device:
    """A client with as much code as one needs."""

    def __init__(self, server: StandIn, identity: dict[str, str] = PUBLIC) -> None:
        self.server = server
        self.identity = identity
        self.code: dict[str, Any] = {}

    def post(self, path: str, form: dict[str, str]) -> tuple[int, Any]:
        page = client(self.server).open(ISSUER + path, {**self.identity, **form})
        return page.status, json.loads(page.text) if page.text else None

    def begin(self, scope: str = SCOPE) -> dict[str, Any]:
        status, self.code = self.post("/device/auth", {"scope": scope})
        assert status == 200
        return self.code

    def poll(self) -> tuple[int, Any]:
        form = {"grant_type": DEVICE, "device_code": self.code["device_code"]}
        return self.post("/token", form)

    def log_in(self, who: tuple[str, str] = StandIn.VIEWER) -> dict[str, Any]:
        self.server.approve(self.begin()["user_code"], *who)
        status, tokens = self.poll()
        assert status == 200, tokens
        return dict(tokens)

    def refresh(self, token: str) -> tuple[int, Any]:
        return self.post("/token", {"grant_type": "refresh_token", "refresh_token": token})

    def revoke(self, token: str, hint: str = "refresh_token") -> tuple[int, Any]:
        return self.post("/token/revocation", {"token": token, "token_type_hint": hint})


def browser(server: StandIn, accept: str = "text/html") -> Browser:
    class Connection(http.client.HTTPSConnection):
        def connect(self) -> None:
            self.sock = connect(server, self.host)

    return Browser(Connection, accept)


def client(server: StandIn) -> Browser:
    """What asks for JSON: to a browser, oidc-provider says its errors on a page."""
    return browser(server, "application/json")


def get(server: StandIn, path: str) -> Any:
    page = client(server).open(ISSUER + path)
    assert page.status == 200
    return json.loads(page.text)


def claims(jwt: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))
    return found


def me(server: StandIn, token: str) -> tuple[int, Any]:
    page = client(server).open(f"{ISSUER}/me", {"access_token": token})
    return page.status, json.loads(page.text)
