"""The second issuer by itself, asked by a client without a line of ours."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.oidc.device import DEVICE, PUBLIC, SCOPE, client

ISSUER = "https://login.django-demo.example/o"
ROOT = "https://login.django-demo.example"


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("django-oauth").reset()


def get(server: StandIn, address: str) -> Any:
    page = client(server).open(address)
    assert page.status == 200
    return json.loads(page.text)


def post(server: StandIn, path: str, **form: str) -> tuple[int, Any]:
    page = client(server).open(ISSUER + path, {**PUBLIC, **form})
    return page.status, json.loads(page.text) if page.text.startswith("{") else page.text


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> Any:
    _, code = post(server, "/device-authorization/", scope=SCOPE)
    server.approve(code["user_code"], *who)
    status, tokens = post(server, "/token/", grant_type=DEVICE, device_code=code["device_code"])
    assert status == 200
    return tokens


def renew(server: StandIn, token: str) -> tuple[int, Any]:
    return post(server, "/token/", grant_type="refresh_token", refresh_token=token)


def test_no_document_names_all(server: StandIn) -> None:
    openid = get(server, f"{ISSUER}/.well-known/openid-configuration")
    rfc8414 = get(server, f"{ROOT}/.well-known/oauth-authorization-server/o")
    assert openid["issuer"] == rfc8414["issuer"] == ISSUER
    assert "revocation_endpoint" not in openid
    assert "revocation_endpoint" in rfc8414
    assert "userinfo_endpoint" not in rfc8414
    assert "userinfo_endpoint" in openid
    assert "device_authorization_endpoint" not in {**openid, **rfc8414}


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_device_login(server: StandIn, who: tuple[str, str]) -> None:
    tokens = log_in(server, who)
    assert "id_token" not in tokens
    assert "." not in tokens["access_token"]
    page = client(server).open(f"{ISSUER}/userinfo/", {"access_token": tokens["access_token"]})
    known = next(one for one in server.users() if one["email"] == who[0])
    assert json.loads(page.text) == {"sub": known["id"], "email": who[0], "name": known["name"]}
    (session,) = server.sessions()
    assert (session["email"], session["alive"]) == (who[0], True)


def test_a_wrong_code_and_a_wrong_password(server: StandIn) -> None:
    with pytest.raises(ValueError, match="Device code"):
        server.approve("NONSENSE")
    _, code = post(server, "/device-authorization/", scope=SCOPE)
    with pytest.raises(ValueError, match="Wrong e-mail address or password"):
        server.approve(code["user_code"], server.VIEWER[0], "wrong")
    server.approve(code["user_code"], deny=True)
    status, answer = post(server, "/token/", grant_type=DEVICE, device_code=code["device_code"])
    assert (status, answer["error"]) == (400, "access_denied")


def test_a_used_refresh_token_ends_the_login(server: StandIn) -> None:
    first = log_in(server)
    status, second = renew(server, first["refresh_token"])
    assert (status, "id_token" in second) == (200, True)
    assert not server.check(refresh_token=first["refresh_token"])
    assert server.check(refresh_token=second["refresh_token"])
    assert renew(server, first["refresh_token"])[0] == 400
    assert not server.check(refresh_token=second["refresh_token"])
    (session,) = server.sessions()
    assert (session["alive"], session["reuses"]) == (False, 1)


def test_a_revocation_that_a_fault_answers_ends_nothing(server: StandIn) -> None:
    tokens = log_in(server)
    revoke = {"token": tokens["refresh_token"], "token_type_hint": "refresh_token"}
    server.fault("/o/revoke_token/", "status:503", times=1)
    assert post(server, "/revoke_token/", **revoke)[0] == 503
    assert server.sessions()[0]["alive"]
    assert post(server, "/revoke_token/", **revoke)[0] == 200
    assert not server.sessions()[0]["alive"]


def test_everything_outlives_a_kill(server: StandIn) -> None:
    tokens = log_in(server)
    server.kill()
    server.start()
    assert server.check(jwt=tokens["access_token"])
    assert renew(server, tokens["refresh_token"])[0] == 200


def test_the_clock_ends_the_access(server: StandIn) -> None:
    tokens = log_in(server)
    server.settings(clock_offset=36001)
    assert not server.check(jwt=tokens["access_token"])
    assert renew(server, tokens["refresh_token"])[0] == 200
