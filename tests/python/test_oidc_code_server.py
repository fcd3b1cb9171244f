"""The stand-in for an OpenID Connect issuer: its login by authorization code."""

from __future__ import annotations

import json
from typing import Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.installed import require
from tests.servers.oidc import install
from tests.servers.oidc.code import LOOPBACK, PASTE, AuthorizationRequest, answer_in
from tests.servers.oidc.device import ISSUER, SCOPE, Device, claims, client, get, me


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    require(install.missing())
    return stand_in("oidc").reset()


def post(server: StandIn, path: str, form: dict[str, str]) -> tuple[int, dict[str, str]]:
    page = client(server).open(ISSUER + path, form)
    return page.status, json.loads(page.text)


def refused(server: StandIn, form: dict[str, str]) -> str:
    status, answer = post(server, "/token", form)
    assert status == 400
    return answer["error"]


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("identity", [LOOPBACK, PASTE], ids=["loopback", "paste"])
def test_code_login(server: StandIn, who: tuple[str, str], identity: dict[str, str]) -> None:
    endpoint = get(server, "/.well-known/openid-configuration")["authorization_endpoint"]
    asked = AuthorizationRequest(endpoint, identity)
    answer = answer_in(server.authorize(asked.url, *who), identity["redirect_uri"])
    assert set(answer) == {"code", "state", "iss"}
    assert (answer["state"], answer["iss"]) == (asked.state, ISSUER)
    status, tokens = post(server, "/token", asked.exchange(answer["code"]))
    assert (status, tokens["scope"], tokens["expires_in"]) == (200, SCOPE, 3600)
    known = next(user for user in server.users() if user["email"] == who[0])
    told = claims(tokens["id_token"])
    assert (told["sub"], told["aud"]) == (known["id"], identity["client_id"])
    assert me(server, tokens["access_token"])[1]["email"] == who[0]
    device = Device(server, {"client_id": identity["client_id"]})
    status, tokens = device.refresh(tokens["refresh_token"])
    assert status == 200
    (session,) = server.sessions()
    assert (session["client_id"], session["alive"]) == (identity["client_id"], True)
    assert server.journal("/token")[0]["session"] == session["id"]
    assert device.revoke(tokens["refresh_token"])[0] == 200
    assert not server.sessions()[0]["alive"]


def test_any_port_of_the_loopback(server: StandIn) -> None:
    for redirect in ("http://127.0.0.1:1024/callback", "http://127.0.0.1:50000/"):
        asked = AuthorizationRequest(f"{ISSUER}/auth", {**LOOPBACK, "redirect_uri": redirect})
        answer = answer_in(server.authorize(asked.url), redirect)
        assert post(server, "/token", asked.exchange(answer["code"]))[0] == 200
    for redirect in ("http://127.0.0.1:1024/another", "http://localhost:1024/callback"):
        asked = AuthorizationRequest(f"{ISSUER}/auth", {**LOOPBACK, "redirect_uri": redirect})
        with pytest.raises(ValueError, match="invalid_redirect_uri"):
            server.authorize(asked.url)


def test_a_code_serves_once_and_with_its_verifier(server: StandIn) -> None:
    asked = AuthorizationRequest(f"{ISSUER}/auth", LOOPBACK)
    code = answer_in(server.authorize(asked.url), LOOPBACK["redirect_uri"])["code"]
    assert refused(server, asked.exchange(code, code_verifier="v" * 43)) == "invalid_grant"
    assert refused(server, asked.exchange(code, redirect_uri=PASTE["redirect_uri"])) == (
        "invalid_grant"
    )
    status, tokens = post(server, "/token", asked.exchange(code))
    assert status == 200
    assert refused(server, asked.exchange(code)) == "invalid_grant"
    assert not server.check(refresh_token=tokens["refresh_token"]), "and takes all with it"


def test_a_code_expires(server: StandIn) -> None:
    asked = AuthorizationRequest(f"{ISSUER}/auth", LOOPBACK)
    code = answer_in(server.authorize(asked.url), LOOPBACK["redirect_uri"])["code"]
    server.settings(clock_offset=61)
    assert refused(server, asked.exchange(code)) == "invalid_grant"


@pytest.mark.parametrize(
    "changed", [{"code_challenge": "", "code_challenge_method": ""}, {"code_challenge_method": ""}]
)
def test_without_pkce_there_is_no_code(server: StandIn, changed: dict[str, str]) -> None:
    asked = AuthorizationRequest(f"{ISSUER}/auth", LOOPBACK, **changed)
    answer = answer_in(server.authorize(asked.url), LOOPBACK["redirect_uri"])
    assert set(answer) == {"error", "error_description", "state", "iss"}
    assert answer["error"] == "invalid_request"


def test_refusing_and_a_wrong_password(server: StandIn) -> None:
    asked = AuthorizationRequest(f"{ISSUER}/auth", PASTE)
    answer = answer_in(server.authorize(asked.url, deny=True), PASTE["redirect_uri"])
    assert (answer["error"], answer["state"], answer["iss"]) == (
        *("access_denied", asked.state, ISSUER),
    )
    with pytest.raises(ValueError, match="Wrong e-mail address or password"):
        server.authorize(asked.url, server.VIEWER[0], "wrong")
    assert server.sessions() == []


def test_without_prompt_consent_there_is_no_refresh_token(server: StandIn) -> None:
    asked = AuthorizationRequest(f"{ISSUER}/auth", LOOPBACK, prompt="")
    answer = answer_in(server.authorize(asked.url), LOOPBACK["redirect_uri"])
    tokens = post(server, "/token", asked.exchange(answer["code"]))[1]
    assert "refresh_token" not in tokens
    assert tokens["scope"] == "openid email profile"
