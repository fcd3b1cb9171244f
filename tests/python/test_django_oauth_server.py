"""The second issuer by itself, asked by a client without a line of ours."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.oidc.code import LOOPBACK, PASTE, AuthorizationRequest, answer_in
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


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("identity", [LOOPBACK, PASTE], ids=["loopback", "paste"])
def test_code_login(server: StandIn, who: tuple[str, str], identity: dict[str, str]) -> None:
    endpoint = get(server, f"{ISSUER}/.well-known/openid-configuration")["authorization_endpoint"]
    asked = AuthorizationRequest(endpoint, identity)
    answer = answer_in(server.authorize(asked.url, *who), identity["redirect_uri"])
    assert set(answer) == {"code", "state"}, "no iss"
    assert answer["state"] == asked.state
    status, tokens = post(server, "/token/", **asked.exchange(answer["code"]))
    assert (status, tokens["scope"]) == (200, SCOPE)
    assert {"access_token", "refresh_token", "id_token"} <= set(tokens)
    assert post(server, "/token/", **asked.exchange(answer["code"]))[0] == 400, "it serves once"
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    status, tokens = post(server, "/token/", client_id=identity["client_id"], **again)
    assert status == 200
    (session,) = server.sessions()
    assert (session["email"], session["alive"]) == (who[0], True)
    assert session["client_id"] == identity["client_id"]
    revoke = {"token": tokens["refresh_token"], "client_id": identity["client_id"]}
    assert post(server, "/revoke_token/", **revoke)[0] == 200
    assert not server.sessions()[0]["alive"]


def test_any_port_of_the_loopback(server: StandIn) -> None:
    for redirect in ("http://127.0.0.1:1024/callback", "http://127.0.0.1:50000/"):
        identity = {**LOOPBACK, "redirect_uri": redirect}
        asked = AuthorizationRequest(f"{ISSUER}/authorize/", identity)
        answer = answer_in(server.authorize(asked.url), redirect)
        assert post(server, "/token/", **asked.exchange(answer["code"]))[0] == 200
    identity = {**LOOPBACK, "redirect_uri": "http://127.0.0.1:1024/another"}
    asked = AuthorizationRequest(f"{ISSUER}/authorize/", identity)
    with pytest.raises(ValueError, match="400"):
        server.authorize(asked.url)


@pytest.mark.parametrize(
    "changed", [{"code_challenge": "", "code_challenge_method": ""}, {"code_challenge_method": ""}]
)
def test_without_pkce_there_is_no_code(server: StandIn, changed: dict[str, str]) -> None:
    asked = AuthorizationRequest(f"{ISSUER}/authorize/", LOOPBACK, **changed)
    answer = answer_in(server.authorize(asked.url), LOOPBACK["redirect_uri"])
    assert answer["error"] == "invalid_request"


def test_a_code_needs_its_verifier(server: StandIn) -> None:
    asked = AuthorizationRequest(f"{ISSUER}/authorize/", LOOPBACK)
    code = answer_in(server.authorize(asked.url), LOOPBACK["redirect_uri"])["code"]
    status, answer = post(server, "/token/", **asked.exchange(code, code_verifier="v" * 43))
    assert (status, answer["error"]) == (400, "invalid_grant")


def test_refusing_an_authorization_request(server: StandIn) -> None:
    asked = AuthorizationRequest(f"{ISSUER}/authorize/", PASTE)
    answer = answer_in(server.authorize(asked.url, deny=True), PASTE["redirect_uri"])
    assert answer == {"error": "access_denied", "state": asked.state}
    with pytest.raises(ValueError, match="Wrong e-mail address or password"):
        server.authorize(asked.url, server.VIEWER[0], "wrong")
    assert server.sessions() == []


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
