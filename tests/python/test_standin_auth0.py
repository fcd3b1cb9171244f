"""Auth0's stand-in by itself: its pages and the ways out of a browser's session."""

from __future__ import annotations

import json
import re
from typing import Callable
from urllib.parse import urlencode, urlsplit

import pytest

from tests.python.auth0_person import (
    ROOT,
    SITE,
    address,
    fill,
    is_refused,
    is_signed_in,
    log_in,
    query,
    redeem,
    renew,
    sign_in,
    who_am_i,
)
from tests.servers.auth0 import CALLBACKS, CLIENT_ID
from tests.servers.browser import Browser
from tests.servers.caller import ask
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("auth0").reset()


# The pages


@pytest.mark.parametrize("pages", ["identifier_first", "combined"])
@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_logging_in(server: StandIn, pages: str, who: tuple[str, str]) -> None:
    server.settings(pages=pages)
    browser = Browser(server)
    ended = sign_in(browser, who)
    assert ended.url.startswith(f"{CALLBACKS[CLIENT_ID]}?")
    assert set(query(ended.url)) == {"code", "state"}
    assert query(ended.url)["state"] == "mine"
    assert {"auth0", "auth0_compat", "did", "did_compat"} <= set(browser.cookies())
    tokens = redeem(server, query(ended.url)["code"]).json
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 86400)
    me = who_am_i(server, tokens["access_token"])
    assert (me.status, me.json["email"]) == (200, who[0])
    assert me.json["sub"].startswith("auth0|")
    (session,) = server.sessions()
    assert server.journal("/userinfo")[0]["session"] == session["id"]
    assert server.check(jwt=tokens["access_token"])
    assert server.check(refresh_token=tokens["refresh_token"])
    assert server.check(cookies=browser.cookies())


def test_each_page_has_a_state_of_its_own(server: StandIn) -> None:
    browser = Browser(server)
    first = browser.get(address())
    assert "/u/login/identifier?" in first.url
    assert "error-element-" not in first.text
    assert "ulp-error-info" in first.text
    second = fill(browser, first, username=StandIn.VIEWER[0])
    assert "/u/login/password?" in second.url
    assert query(first.url)["state"] != query(second.url)["state"]
    again = fill(browser, first, username=StandIn.VIEWER[0])
    assert (again.status, "Oops!" in again.text) == (400, True)
    old = {"state": query(first.url)["state"], "password": StandIn.VIEWER[1]}
    assert browser.post(second.url, urlencode(old).encode()).status == 400
    other = Browser(server)
    assert other.get(second.url).status == 400
    other.get(address())
    assert other.get(second.url).status == 400
    assert browser.get(second.url).status == 200
    assert browser.get(f"{ROOT}/u/login?{urlsplit(second.url).query}").status == 400
    server.settings(clock_offset=3601)
    assert browser.get(second.url).status == 400


@pytest.mark.parametrize("pages", ["identifier_first", "combined"])
def test_refusals_are_told_on_the_page(server: StandIn, pages: str) -> None:
    server.settings(pages=pages, attempts=2)
    browser = Browser(server)
    for who in ((StandIn.VIEWER[0], "wrong"), ("nobody@example.com", "x")):
        wrong = sign_in(browser, who)
        assert wrong.status == 400
        assert 'id="error-element-password"' in wrong.text
        assert "Wrong email or password" in wrong.text
    right = sign_in(browser, StandIn.VIEWER)
    assert urlsplit(right.url).path == "/callback"
    server.reset()
    server.settings(pages=pages, attempts=1)
    browser = Browser(server)
    sign_in(browser, (StandIn.VIEWER[0], "wrong"))
    blocked = sign_in(browser, StandIn.VIEWER)
    assert (blocked.status, 'id="prompt-alert"' in blocked.text) == (400, True)
    assert server.sessions() == []
    assert not is_signed_in(browser)


def test_no_e_mail_address(server: StandIn) -> None:
    browser = Browser(server)
    refused = fill(browser, browser.get(address()), username="nonsense")
    assert (refused.status, 'id="error-element-username"' in refused.text) == (400, True)


@pytest.mark.parametrize("pages", ["identifier_first", "combined"])
def test_steps_that_no_password_passes(server: StandIn, pages: str) -> None:
    server.settings(pages=pages, captcha=True)
    browser = Browser(server)
    page = browser.get(address())
    assert 'name="captcha"' in page.text
    refused = fill(browser, page, username=StandIn.VIEWER[0], password=StandIn.VIEWER[1])
    assert (refused.status, 'id="error-element-captcha"' in refused.text) == (400, True)
    server.settings(captcha=False, second_factor=True)
    stopped = sign_in(browser, StandIn.VIEWER)
    assert (stopped.status, urlsplit(stopped.url).path) == (200, "/u/mfa-otp-challenge")
    assert not is_signed_in(browser)


def test_single_sign_on(server: StandIn) -> None:
    browser = Browser(server)
    assert not is_signed_in(browser)
    sign_in(browser, StandIn.VIEWER)
    assert is_signed_in(browser)
    straight = browser.get(address(), follow=False)
    assert straight.status == 302
    assert straight.headers["location"].startswith(CALLBACKS[CLIENT_ID])
    forced = browser.get(address(prompt="login"))
    assert "/u/login/identifier" in forced.url


def test_what_authorize_does_not_redirect(server: StandIn) -> None:
    for other in ({"client_id": "other"}, {"redirect_uri": "https://evil.example/"}):
        refused = Browser(server).get(address(**other), follow=False)
        assert (refused.status, "Oops!" in refused.text) == (403, True)
    wrong = Browser(server).get(address(response_type="token"), follow=False)
    assert query(wrong.headers["location"])["error"] == "unsupported_response_type"


# Out of the browser session


def test_logout_redirects_whoever_asks(server: StandIn) -> None:
    browser = Browser(server)
    tokens = log_in(server, browser)
    cookies = browser.cookies()
    logout = f"{ROOT}/v2/logout?client_id={CLIENT_ID}"
    evil = browser.get(f"{logout}&returnTo=https%3A%2F%2Fevil.example%2F", follow=False)
    assert evil.status == 400
    assert browser.get(f"{ROOT}/v2/logout?returnTo={SITE}/", follow=False).status == 400
    assert is_signed_in(browser)
    out = browser.get(f"{logout}&returnTo={SITE}/", follow=False)
    assert (out.status, out.headers["location"]) == (302, f"{SITE}/")
    assert len([one for one in out.set_cookies if "01 Jan 1970" in one or "Max-Age=0" in one]) == 2
    assert "auth0" not in browser.cookies()
    assert not server.check(cookies=cookies)
    nobody = Browser(server).get(logout, follow=False)
    assert (nobody.status, nobody.headers["location"]) == (302, f"{SITE}/")
    bare = ask(server, "GET", f"{ROOT}/v2/logout")
    assert (bare.status, bare.text) == (200, "OK")
    assert server.sessions()[0]["signed_in"] is False
    assert renew(server, tokens["refresh_token"]).status == 200
    assert who_am_i(server, tokens["access_token"]).status == 200


def test_logout_by_the_id_token(server: StandIn) -> None:
    browser, other = Browser(server), Browser(server)
    tokens, others = log_in(server, browser), log_in(server, other, StandIn.NON_ASCII)
    out = f"{ROOT}/oidc/logout?post_logout_redirect_uri={SITE}/&state=s"
    for hint in ("", f"&id_token_hint={others['id_token']}"):
        question = browser.get(out + hint, follow=False)
        assert (question.status, "Do you want to log out?" in question.text) == (200, True)
    assert browser.get(f"{out}&id_token_hint=nonsense", follow=False).status == 400
    evil = f"{ROOT}/oidc/logout?post_logout_redirect_uri=https%3A%2F%2Fevil.example%2F"
    assert browser.get(evil, follow=False).status == 400
    assert is_signed_in(browser)
    done = browser.get(f"{out}&id_token_hint={tokens['id_token']}", follow=False)
    assert (done.status, done.headers["location"]) == (302, f"{SITE}/?state=s")
    assert (is_signed_in(browser), is_signed_in(other)) == (False, True)


def test_a_website_with_a_session_of_its_own(server: StandIn) -> None:
    browser = Browser(server)
    assert browser.get(f"{SITE}/auth/profile").status == 401
    ended = sign_in(browser, StandIn.VIEWER, f"{SITE}/auth/login")
    assert (ended.status, ended.url) == (200, f"{SITE}/")
    assert json.loads(browser.get(f"{SITE}/auth/profile").text)["email"] == StandIn.VIEWER[0]
    cookies = browser.cookies()
    assert server.check(cookies={"__session": cookies["__session"]})
    back = browser.get(browser.get(f"{SITE}/auth/login", follow=False).headers["location"], False)
    forged = re.sub("state=[^&]*", "state=other", back.headers["location"])
    assert browser.get(forged).status == 500
    assert Browser(server).get(back.headers["location"]).status == 500
    assert browser.get(back.headers["location"]).url == f"{SITE}/"
    assert browser.get(back.headers["location"]).status == 500
    cookies = browser.cookies()
    server.fault("/auth/logout", "with_status", code=503, times=1)
    assert browser.get(f"{SITE}/auth/logout", follow=False).status == 503
    assert server.check(cookies={"__session": cookies["__session"]})
    browser.get(browser.get(f"{SITE}/auth/login", follow=False).headers["location"])
    cookies = browser.cookies()
    assert browser.get(f"{SITE}/auth/logout").url == f"{SITE}/"
    assert {"__session", "auth0"}.isdisjoint(browser.cookies())
    assert not server.check(cookies=cookies)
    session = server.sessions()[-1]
    assert (session["alive"], session["signed_in"]) == (False, False)


def test_ended_by_somebody_else(server: StandIn) -> None:
    browser = Browser(server)
    tokens = log_in(server, browser)
    server.end_session(server.sessions()[0]["id"])
    assert is_refused(renew(server, tokens["refresh_token"]))
    assert not is_signed_in(browser)
    assert who_am_i(server, tokens["access_token"]).status == 200


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_state_outlives_the_process(server: StandIn, how: str) -> None:
    browser = Browser(server)
    tokens = log_in(server, browser)
    late = Browser(server)
    page = late.get(address())
    getattr(server, how)()
    server.start()
    assert is_signed_in(browser)
    assert renew(server, tokens["refresh_token"]).status == 200
    page = fill(late, page, username=StandIn.NON_ASCII[0])
    ended = fill(late, page, password=StandIn.NON_ASCII[1])
    assert redeem(server, query(ended.url)["code"]).status == 200
