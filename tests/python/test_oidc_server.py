"""The stand-in for an OpenID Connect issuer: what oidc-provider, set up as it is here, answers."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.oidc import find_reuse, install
from tests.servers.oidc.device import (
    CONFIDENTIAL,
    DEVICE,
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


# Discovery


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
def test_discovery(server: StandIn, name: str) -> None:
    found = get(server, f"/.well-known/{name}")
    assert found["issuer"] == server.parameters["issuer"] == ISSUER
    assert found["device_authorization_endpoint"] == f"{ISSUER}/device/auth"
    assert found["token_endpoint"] == f"{ISSUER}/token"
    assert found["revocation_endpoint"] == f"{ISSUER}/token/revocation"
    assert found["end_session_endpoint"] == f"{ISSUER}/session/end"
    assert found["userinfo_endpoint"] == f"{ISSUER}/me"
    assert set(found["grant_types_supported"]) >= {DEVICE, "refresh_token"}
    assert [key["kty"] for key in get(server, "/jwks")["keys"]] == ["RSA"]


def test_discovery_lies(server: StandIn) -> None:
    server.settings(discovery_issuer="https://op.evil.example")
    assert get(server, "/.well-known/openid-configuration")["issuer"] == "https://op.evil.example"
    server.settings(discovery_issuer="", endpoint_host="op.evil.example")
    found = get(server, "/.well-known/openid-configuration")
    assert found["issuer"] == ISSUER
    assert found["token_endpoint"] == "https://op.evil.example/token"
    assert found["revocation_endpoint"] == f"{ISSUER}/token/revocation"
    server.settings(endpoint="revocation_endpoint")
    found = get(server, "/.well-known/openid-configuration")
    assert found["token_endpoint"] == f"{ISSUER}/token"
    assert found["revocation_endpoint"] == "https://op.evil.example/token/revocation"


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
    assert (told["sub"], told["email"], told["name"]) == (known["id"], who[0], known["name"])
    assert (told["iss"], told["aud"]) == (ISSUER, identity["client_id"])
    assert me(server, tokens["access_token"])[1]["email"] == who[0]
    assert server.check(jwt=tokens["access_token"])
    assert server.check(refresh_token=tokens["refresh_token"])
    (session,) = server.sessions()
    assert (session["email"], session["alive"], session["ended_by"]) == (who[0], True, "")


def test_without_offline_access_there_is_no_refresh_token(server: StandIn, device: Device) -> None:
    server.approve(device.begin("openid email")["user_code"])
    assert "refresh_token" not in device.poll()[1]


@pytest.mark.parametrize("when", ["at once", "at the end"])
def test_the_user_says_no(server: StandIn, device: Device, when: str) -> None:
    given = {"user_code": device.begin()["user_code"], "deny": True}
    if when == "at the end":
        given.update(zip(("username", "password"), server.VIEWER))
    server._ask("POST", "/approve", given)
    status, answer = device.poll()
    assert (status, answer["error"]) == (400, "access_denied")
    assert server.sessions() == []


def test_a_code_expires(server: StandIn, device: Device) -> None:
    server.settings(device_lifetime=30)
    code = device.begin()
    assert code["expires_in"] == 30
    server.settings(clock_offset=31)
    status, answer = device.poll()
    assert (status, answer["error"]) == (400, "expired_token")
    with pytest.raises(ValueError, match="the code has expired"):
        server.approve(code["user_code"])


def test_a_device_code_serves_once(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    status, answer = device.poll()
    assert (status, answer["error"]) == (400, "invalid_grant")
    assert not server.check(refresh_token=tokens["refresh_token"]), "and takes all with it"
    assert server.sessions()[-1]["ended_by"] == "reuse"


def test_wrong_code_or_password(server: StandIn, device: Device) -> None:
    with pytest.raises(ValueError, match="the code was not found"):
        server.approve("BCDF-GHJK")
    code = device.begin()["user_code"]
    with pytest.raises(ValueError, match="Wrong e-mail address or password"):
        server.approve(code, password="wrong")
    with pytest.raises(ValueError, match="code has already been used"):
        server.approve(code)
    assert device.poll()[1]["error"] == "authorization_pending"


def test_interval_and_slow_down_are_settings(server: StandIn, device: Device) -> None:
    for _ in range(3):
        device.begin()
        assert device.poll()[1]["error"] == "authorization_pending", "it never says slow_down"
    server.settings(device_interval=1, slow_down=True)
    assert device.begin()["interval"] == 1
    assert device.poll() == (400, {"error": "slow_down"})
    server.approve(device.code["user_code"])
    assert device.poll()[0] == 200


def test_pages_in_a_browser(server: StandIn, device: Device) -> None:
    person = browser(server)
    code = device.begin()
    page = person.open(code["verification_uri_complete"])
    (form,) = page.forms
    page = person.submit(page, form)
    assert (page.title, code["user_code"] in page.text) == ("Confirm device", True)
    forged = {**page.forms["op.deviceConfirmForm"].fields, "xsrf": "x"}
    assert person.open(f"{ISSUER}/device", forged).error == "invalid_request"
    page = person.submit(
        person.open(f"{ISSUER}/device"),
        "op.deviceInputForm",
        user_code=code["user_code"].replace("-", "").lower(),
    )
    page = person.submit(page, "op.deviceConfirmForm")
    login = page.url
    assert browser(server).open(login).status == 400, "another browser"
    page = person.submit(page, "login", username=server.VIEWER[0], password="wrong")
    assert (page.title, page.error) == ("Sign in", "Wrong e-mail address or password")
    page = person.submit(page, "login", username=server.VIEWER[0], password=server.VIEWER[1])
    assert "offline_access" in page.text
    page = person.submit(page, "consent")
    assert page.title == "Signed in"
    assert all(cookie.secure for cookie in person.jar)
    assert device.poll()[0] == 200


# Renewal


def test_refresh_tokens_rotate(server: StandIn, device: Device) -> None:
    first = device.log_in()
    status, second = device.refresh(first["refresh_token"])
    assert status == 200, "no scope is needed"
    assert set(second) == set(first)
    assert second["scope"] == first["scope"] == SCOPE
    assert second["refresh_token"] != first["refresh_token"]
    assert claims(second["id_token"])["email"] == server.VIEWER[0]
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


def test_tokens_expire(server: StandIn, device: Device) -> None:
    server.settings(access_lifetime=60, refresh_lifetime=600)
    tokens = device.log_in()
    assert tokens["expires_in"] == 60
    server.settings(clock_offset=61)
    status, answer = me(server, tokens["access_token"])
    assert (status, answer["error"]) == (401, "invalid_token")
    assert server.sessions()[-1]["alive"]
    server.settings(clock_offset=601)
    assert not server.sessions()[-1]["alive"]
    status, answer = device.refresh(tokens["refresh_token"])
    assert (status, answer["error"]) == (400, "invalid_grant")
    assert find_reuse(server) == 0


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


def test_a_cut_off_last_line_of_the_state_is_left_out(tmp_path: Path) -> None:
    with StandIn("oidc", tmp_path) as server:
        tokens = Device(server).log_in()
        server.stop()
        with open(tmp_path / "state.jsonl", "a", encoding="utf-8") as file:
            file.write('{"kind": "Grant", "id"')
        server.start()
        assert server.check(refresh_token=tokens["refresh_token"])


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
