"""The stand-in for an OpenID Connect issuer: how strict oidc-provider is, set up as it is here."""

from __future__ import annotations

import http.client
import json
import re
import time
from pathlib import Path
from typing import Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.oidc import find_reuse, install
from tests.servers.oidc.code import LOOPBACK, PASTE, AuthorizationRequest, answer_in
from tests.servers.oidc.device import (
    CONFIDENTIAL,
    ISSUER,
    PUBLIC,
    SCOPE,
    Device,
    browser,
    claims,
    get,
    me,
)

LACK = install.missing()
pytestmark = pytest.mark.skipif(bool(LACK), reason=LACK)


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("oidc").reset()


@pytest.fixture
def device(server: StandIn) -> Device:
    return Device(server)


# Device login


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("identity", [PUBLIC, CONFIDENTIAL], ids=["public", "confidential"])
def test_device_login(server: StandIn, who: tuple[str, str], identity: dict[str, str]) -> None:
    device = Device(server, identity)
    code = device.begin()
    assert set(code) == {
        *("device_code", "user_code", "verification_uri", "verification_uri_complete"),
        "expires_in",
    }, "no interval"
    assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", code["user_code"])
    assert code["verification_uri_complete"].endswith(f"/device?user_code={code['user_code']}")
    status, waiting = device.poll()
    assert (status, waiting["error"]) == (400, "authorization_pending")
    assert server.sessions() == []
    server.approve(code["user_code"], *who)
    status, tokens = device.poll()
    assert status == 200
    assert set(tokens) == {
        *("access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type")
    }
    assert (tokens["expires_in"], tokens["token_type"]) == (3600, "Bearer")
    known = next(user for user in server.users() if user["email"] == who[0])
    told = claims(tokens["id_token"])
    assert (told["sub"], told["iss"], told["aud"]) == (known["id"], ISSUER, identity["client_id"])
    assert told.keys().isdisjoint({"email", "name"}), "OpenID Connect Core 5.4"
    status, told = me(server, tokens["access_token"])
    assert status == 200
    assert (told["sub"], told["email"], told["name"]) == (known["id"], who[0], known["name"])
    assert server.check(jwt=tokens["access_token"])
    assert server.check(refresh_token=tokens["refresh_token"])
    (session,) = server.sessions()
    assert (session["email"], session["alive"], session["ended_by"]) == (who[0], True, "")


def test_without_offline_access_there_is_no_refresh_token(server: StandIn, device: Device) -> None:
    server.approve(device.begin("openid email")["user_code"])
    assert "refresh_token" not in device.poll()[1]


def test_a_device_code_serves_once(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    status, answer = device.poll()
    assert (status, answer["error"]) == (400, "invalid_grant")
    assert not server.check(refresh_token=tokens["refresh_token"]), "and takes all with it"
    assert server.sessions()[-1]["ended_by"] == "reuse"


# Login by authorization code


def post(server: StandIn, path: str, form: dict[str, str]) -> tuple[int, dict[str, str]]:
    page = browser(server, "application/json").open(ISSUER + path, form)
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


# Renewal


def test_refresh_tokens_rotate(server: StandIn, device: Device) -> None:
    first = device.log_in()
    status, second = device.refresh(first["refresh_token"])
    assert status == 200, "no scope is needed"
    assert set(second) == set(first)
    assert second["scope"] == first["scope"] == SCOPE
    assert second["refresh_token"] != first["refresh_token"]
    assert claims(second["id_token"])["sub"] == claims(first["id_token"])["sub"]
    assert server.check(jwt=first["access_token"]), "it lives until it expires"
    assert not server.check(refresh_token=first["refresh_token"])
    assert server.check(refresh_token=second["refresh_token"])
    assert find_reuse(server) == 0


def test_a_used_refresh_token_ends_the_login(server: StandIn, device: Device) -> None:
    other = device.log_in()
    first = device.log_in()
    _, second = device.refresh(first["refresh_token"])
    status, answer = device.refresh(first["refresh_token"])
    assert status == 400
    assert answer == {
        "error": "invalid_grant",
        "error_description": "grant request is invalid",
    }
    for tokens in (first, second):
        assert not server.check(jwt=tokens["access_token"])
        assert not server.check(refresh_token=tokens["refresh_token"])
    assert find_reuse(server) == 1
    assert device.refresh(second["refresh_token"])[1]["error"] == "invalid_grant"
    assert find_reuse(server) == 1, "it was never used"
    device.refresh(first["refresh_token"])
    assert find_reuse(server) == 2
    assert [one["ended_by"] for one in server.sessions()] == ["", "reuse"]
    assert server.check(refresh_token=other["refresh_token"])


# Logout


def test_revocation_of_something_else_is_200_too(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    assert device.revoke("never.seen") == (200, None)
    assert device.revoke(tokens["refresh_token"], "access_token")[0] == 200, "a wrong hint"
    assert device.revoke(tokens["refresh_token"])[0] == 200, "for the second time"
    tokens = device.log_in()
    assert Device(server, CONFIDENTIAL).revoke(tokens["refresh_token"])[0] == 200
    assert server.check(refresh_token=tokens["refresh_token"]), "another client's"


def test_revoking_a_used_refresh_token_ends_the_login(server: StandIn, device: Device) -> None:
    first = device.log_in()
    _, second = device.refresh(first["refresh_token"])
    assert device.revoke(first["refresh_token"])[0] == 200
    assert not server.check(refresh_token=second["refresh_token"])
    assert find_reuse(server) == 0


def test_end_session_without_cookies_is_a_page(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    person = browser(server)
    page = person.open(f"{ISSUER}/session/end", {"id_token_hint": tokens["id_token"]})
    assert (page.status, page.title) == (200, "Submitting Callback")
    (form,) = page.forms
    page = person.submit(page, form)
    assert page.title == "Signed out"
    assert server.sessions()[-1]["alive"], "it ends a browser's session, and there was none"
    assert server.check(refresh_token=tokens["refresh_token"])


# The front: journal and faults


def test_a_fault_decides_whether_the_login_ends(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    server.fault("/token/revocation", "reset_after_read", times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        device.revoke(tokens["refresh_token"])
    assert server.sessions()[-1]["alive"]
    server.fault("/token/revocation", "with_status", code=503, times=1)
    assert device.revoke(tokens["refresh_token"])[0] == 503
    assert server.check(refresh_token=tokens["refresh_token"])
    server.fault("/token/revocation", "ended_but_reset", times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        device.revoke(tokens["refresh_token"])
    assert not server.sessions()[-1]["alive"]


# The process


def test_restart_and_kill_keep_everything(tmp_path: Path) -> None:
    with StandIn("oidc", tmp_path) as server:
        server.add_user("third@example.com", "pass", id="7")
        server.settings(access_lifetime=120)
        device = Device(server)
        tokens = device.log_in(("third@example.com", "pass"))
        _, tokens = device.refresh(tokens["refresh_token"])
        jwks = get(server, "/jwks")
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 1
        server.start()
        assert get(server, "/jwks") == jwks
        assert server.settings()["access_lifetime"] == 120
        assert server.check(refresh_token=tokens["refresh_token"])
        status, tokens = device.refresh(tokens["refresh_token"])
        assert (status, tokens["expires_in"]) == (200, 120)
        pending = device.begin()
        server.kill()
        server.start()
        server.approve(pending["user_code"])
        assert device.poll()[0] == 200
        assert claims(tokens["id_token"])["sub"] == "7"
        assert [one["email"] for one in server.sessions()] == [
            "third@example.com",
            server.VIEWER[0],
        ]
        device.revoke(tokens["refresh_token"])
        server.restart()
        assert [one["alive"] for one in server.sessions()] == [False, True]


def test_control_refuses_nonsense(server: StandIn) -> None:
    with pytest.raises(ValueError, match="404"):
        server.end_session("nobody")
    with pytest.raises(ValueError, match="takes one of"):
        server.settings(endpoint="jwks_uri")
    with pytest.raises(ValueError, match="400"):
        server.add_user("fourth@example.com", None)  # type: ignore[arg-type]
    assert not server.check(jwt="nothing")
    assert not server.check(cookies={"_session": "x"})


# The package


def test_lock_file_names_no_registry() -> None:
    lock = json.loads((install.HERE / "package-lock.json").read_text("utf-8"))
    assert not any("resolved" in package for package in lock["packages"].values())
    assert all(package.get("integrity") for name, package in lock["packages"].items() if name)


def test_a_machine_without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "install Node.js 18 or later" in install.missing()
    with pytest.raises(install.NotInstalled, match="node is missing"):
        install.install()
