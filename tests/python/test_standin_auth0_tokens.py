"""Auth0's stand-in by itself: codes, tokens, renewal and revocation."""

from __future__ import annotations

import base64
import json
from typing import Callable

import pytest

from tests.python.auth0_person import (
    ROOT,
    SITE,
    address,
    is_refused,
    log_in,
    query,
    redeem,
    renew,
    sign_in,
    token,
    who_am_i,
)
from tests.servers.auth0 import CLIENT_ID, SITE_ID
from tests.servers.browser import Browser
from tests.servers.caller import ask
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("auth0").reset()


def test_a_code_serves_once_and_who_asked_for_it(server: StandIn) -> None:
    browser = Browser(server)
    code = query(sign_in(browser, StandIn.VIEWER).url)["code"]
    assert redeem(server, code, client_id="other").status == 401
    assert redeem(server, code, client_secret="x").status == 401
    assert redeem(server, code, client_id=SITE_ID).status == 401
    assert redeem(server, code, redirect_uri=SITE).status == 403
    wrong = redeem(server, code, code_verifier="w" * 43)
    assert (wrong.status, wrong.json["error"]) == (403, "invalid_grant")
    assert token(server, code=code).status == 400
    assert token(server, grant_type="password").json["error"] == "unsupported_grant_type"
    assert redeem(server, code).status == 200
    again = redeem(server, code)
    told = {"error": "invalid_grant", "error_description": "Invalid authorization code"}
    assert (again.status, again.json) == (403, told)
    late = query(browser.get(address(), follow=False).headers["location"])["code"]
    server.settings(clock_offset=601)
    assert redeem(server, late).status == 403
    without = query(browser.get(address(code_challenge=""), follow=False).headers["location"])
    assert redeem(server, without["code"]).status == 403


def test_tokens_by_scope(server: StandIn) -> None:
    browser = Browser(server)
    tokens = log_in(server, browser)
    claims = json.loads(base64.urlsafe_b64decode(tokens["id_token"].split(".")[1] + "=="))
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (f"{ROOT}/", CLIENT_ID, "once")
    asked = address(scope="openid", audience="https://api.auth0-demo.example")
    fewer = redeem(server, query(browser.get(asked, follow=False).headers["location"])["code"])
    assert "refresh_token" not in fewer.json
    assert fewer.json["access_token"].count(".") == 2
    assert "email" not in who_am_i(server, fewer.json["access_token"]).json
    server.settings(clock_offset=86401)
    dead = who_am_i(server, tokens["access_token"])
    assert (dead.status, dead.text) == (401, "Unauthorized")
    known = ask(server, "GET", f"{ROOT}/.well-known/openid-configuration").json
    assert known["issuer"] == f"{ROOT}/"
    assert ask(server, "GET", known["jwks_uri"]).json["keys"][0]["alg"] == "RS256"


def test_renewal_rotates_and_reuse_ends_the_family(server: StandIn) -> None:
    first = log_in(server, Browser(server))["refresh_token"]
    second = renew(server, first).json["refresh_token"]
    third = renew(server, second).json["refresh_token"]
    assert len({first, second, third}) == 3
    assert is_refused(renew(server, "nonsense"))
    assert server.sessions()[0]["alive"]
    assert is_refused(renew(server, first))
    assert is_refused(renew(server, third))
    assert server.sessions()[0]["ended_by"] == "reuse"


def test_renewal_by_the_tenants_settings(server: StandIn) -> None:
    server.settings(overlap=60)
    first = log_in(server, Browser(server))["refresh_token"]
    second = renew(server, first).json["refresh_token"]
    third = renew(server, first).json["refresh_token"]
    assert second != third
    server.settings(rotation=False)
    assert "refresh_token" not in renew(server, third).json
    assert renew(server, third).status == 200
    server.settings(rotation=True, clock_offset=1296001)
    assert is_refused(renew(server, third))


def test_revocation(server: StandIn) -> None:
    one, two = (log_in(server, Browser(server)) for _ in range(2))
    revoke = f"{ROOT}/oauth/revoke"
    form = {"client_id": CLIENT_ID, "token": one["refresh_token"]}
    wrong = ask(server, "POST", revoke, form={**form, "client_id": "other"})
    assert (wrong.status, wrong.json["error"]) == (401, "invalid_client")
    assert ask(server, "POST", revoke, form={"client_id": CLIENT_ID}).status == 400
    assert server.check(refresh_token=one["refresh_token"])
    revoked = ask(server, "POST", revoke, document=form)
    assert (revoked.status, revoked.text) == (200, "")
    assert ask(server, "POST", revoke, form=form).status == 200
    assert ask(server, "POST", revoke, form={**form, "token": "unknown"}).status == 200
    assert is_refused(renew(server, one["refresh_token"]))
    assert who_am_i(server, one["access_token"]).status == 200
    three = renew(server, two["refresh_token"]).json
    server.settings(revocation_deletes_grant=True)
    four = log_in(server, Browser(server))
    ask(server, "POST", revoke, form={**form, "token": four["refresh_token"]})
    assert is_refused(renew(server, three["refresh_token"]))


def test_a_spoilt_answer_revokes_nothing(server: StandIn) -> None:
    browser = Browser(server)
    tokens = log_in(server, browser)
    form = {"client_id": CLIENT_ID, "token": tokens["refresh_token"]}
    server.fault("/oauth/revoke", "with_status", code=503, times=1)
    assert ask(server, "POST", f"{ROOT}/oauth/revoke", form=form).status == 503
    assert renew(server, tokens["refresh_token"]).status == 200


@pytest.mark.parametrize("out", ["/v2/logout?client_id=", "/oidc/logout?id_token_hint="])
def test_a_spoilt_logout_ends_nothing(server: StandIn, out: str) -> None:
    browser = Browser(server)
    tokens = log_in(server, browser)
    cookies = browser.cookies()
    server.fault(out.partition("?")[0], "with_status", code=503, times=1)
    more = CLIENT_ID if out.startswith("/v2") else tokens["id_token"]
    assert browser.get(ROOT + out + more, follow=False).status == 503
    assert "auth0" not in browser.cookies()
    assert server.check(cookies=cookies)
