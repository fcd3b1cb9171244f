"""The stand-in for Angel Studios itself: does it do what the service does?"""

from __future__ import annotations

import base64
import json
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.servers.browser import (
    FOUR,
    LOGIN,
    LOGOUT,
    REMEMBER,
    Browser,
    ask,
    hidden,
    me,
    post_url,
)
from tests.servers.fixture import StandIn

# Login


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_login_sets_the_four_cookies(server: StandIn, who: tuple[str, str]) -> None:
    browser = Browser(server)
    answer = browser.log_in(*who)
    assert answer.status == 200
    assert answer.url == "https://www.angel.com/watch"
    cookies = {cookie.name: cookie for cookie in browser.jar}
    assert set(cookies) >= FOUR
    for name in FOUR:
        assert cookies[name].domain == ".angel.com"
        assert cookies[name].secure
    jwt = cookies["angel_jwt_v2"].value or ""
    header, claims = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in jwt.split(".")[:2])
    assert header["alg"] == "HS512"
    assert claims["email"] == who[0]
    assert claims["exp"] - claims["iat"] == 86400
    days = ((cookies[REMEMBER].expires or 0) - time.time()) / 86400
    assert 179 < days < 181
    assert json.loads(me(browser, jwt).text) == {"data": {"me": {"email": who[0]}}}


def test_callback_sets_flags_as_in_the_table(server: StandIn) -> None:
    browser = Browser(server)
    email, password = server.VIEWER
    state, csrf = browser.open_form(email)
    form = {"email": email, "password": password, "state": state, "_csrf_token": csrf}
    data = urllib.parse.urlencode({**form, "has_agreed": "true"}).encode()
    granted = browser.post(post_url(state), data, follow=False)
    callback = granted.headers["location"]
    assert granted.status == 302
    assert callback.startswith("https://www.angel.com/api/auth/callback?code=")
    lines = browser.get(callback, follow=False).set_cookies
    assert {line.partition("=")[0] for line in lines} == FOUR
    for line in lines:
        assert "; Secure; HttpOnly; " in line
        assert "; Domain=.angel.com;" in line
        assert ("SameSite=Strict" in line) == line.startswith(REMEMBER)
    assert browser.get(callback).status == 400, "the code serves once"
    assert browser.post(post_url(state), data).status == 400, "and so does the state"


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_wrong_password_gives_the_form_again(server: StandIn, who: tuple[str, str]) -> None:
    answer = Browser(server).log_in(who[0], "wrong")
    assert answer.status == 200
    assert re.search(r'<p [^>]*class="[^"]*\berror-message\b[^"]*">Wrong', answer.text)
    assert hidden(answer.text, "_csrf_token")


def test_post_is_checked(server: StandIn) -> None:
    email, password = server.VIEWER
    assert Browser(server).log_in(email, password, _csrf_token="x").status == 403
    assert Browser(server).log_in(email, password, state="x").status == 400
    assert "agree" in Browser(server).log_in(email, password, has_agreed="").text
    browser = Browser(server)
    state, csrf = browser.open_form(email)
    browser.jar.clear()
    form = {"email": email, "password": password, "state": state, "_csrf_token": csrf}
    data = urllib.parse.urlencode(form).encode()
    assert browser.post(post_url(state), data).status == 403, "another browser's token"


def test_page_variants(server: StandIn) -> None:
    server.settings(no_state_input=True, no_csrf=True, no_password_state=True)
    browser = Browser(server)
    page = browser.get(LOGIN).text
    with pytest.raises(AssertionError):
        hidden(page, "state")
    query = urllib.parse.urlencode({"email": "a@b", "state": browser.cookies()["angelSession"]})
    page = browser.get(f"https://auth.angel.com/u/login/password?{query}").text
    for name in ("state", "_csrf_token"):
        with pytest.raises(AssertionError):
            hidden(page, name)


def test_login_without_jwt_and_older_name(server: StandIn) -> None:
    server.settings(login_without_jwt=True)
    browser = Browser(server)
    browser.log_in(*server.VIEWER)
    assert "angel_jwt_v2" not in browser.cookies()
    assert REMEMBER in browser.cookies()
    server.settings(login_without_jwt=False, jwt_cookie_name="angel_jwt", jwt_claims={"exp": None})
    browser = Browser(server)
    browser.log_in(*server.VIEWER)
    jwt = browser.cookies()["angel_jwt"]
    assert b'"exp"' not in base64.urlsafe_b64decode(jwt.split(".")[1] + "==")
    assert server.check(jwt=jwt)


def test_jwt_as_the_test_wants_it(server: StandIn) -> None:
    server.settings(jwt_text="not.a.jwt.at.all")
    browser = Browser(server)
    browser.log_in(*server.VIEWER)
    assert browser.cookies()["angel_jwt_v2"] == "not.a.jwt.at.all"
    assert me(browser, "not.a.jwt.at.all").status == 200
    browser.get(LOGOUT, follow=False)
    assert not server.check(jwt="not.a.jwt.at.all")


# Renewal and expiry


def test_remember_me_renews(server: StandIn, browser: Browser) -> None:
    old = browser.cookies()
    server.clear_journal()
    answer = browser.get(LOGIN)
    new = browser.cookies()
    assert answer.url == "https://www.angel.com/watch"
    assert new["angel_jwt_v2"] != old["angel_jwt_v2"]
    assert new[REMEMBER] == old[REMEMBER]
    assert server.check(jwt=new["angel_jwt_v2"])
    session = server.sessions()[-1]
    assert (session["logins"], session["renewals"]) == (1, 1)
    assert not any(one["has_password"] for one in server.journal())
    server.settings(renew_without_jwt=True)
    browser.get(LOGIN)
    assert browser.cookies()["angel_jwt_v2"] == new["angel_jwt_v2"]


def test_expired_jwt_is_refused(server: StandIn, browser: Browser) -> None:
    jwt = browser.cookies()["angel_jwt_v2"]
    server.settings(clock_offset=86500)
    assert me(browser, jwt).status == 401
    assert not server.check(jwt=jwt)
    assert server.check(cookies={REMEMBER: browser.cookies()[REMEMBER]})


def test_graphql_errors_variant(server: StandIn) -> None:
    server.settings(graphql_unauthenticated="errors")
    answer = me(Browser(server), "no.such.token")
    assert answer.status == 200
    assert "UNAUTHENTICATED" in answer.text


# Logout


def test_logout_ends_everything(server: StandIn, browser: Browser) -> None:
    old = browser.cookies()
    answer = browser.get(LOGOUT + "&return_to=https://www.angel.com/watch", follow=False)
    assert answer.status == 302
    assert answer.headers["location"] == "https://www.angel.com/watch"
    assert {line.partition("=")[0] for line in answer.set_cookies} == FOUR
    for line in answer.set_cookies:
        assert "=; Path=/; Domain=.angel.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT" in line
    assert not FOUR & set(browser.cookies())
    assert not server.check(jwt=old["angel_jwt_v2"])
    for name in FOUR:
        assert not server.check(cookies={name: old[name]})
    assert me(Browser(server), old["angel_jwt_v2"]).status == 401
    header = "; ".join(f"{name}={value}" for name, value in old.items())
    assert "/u/login" in Browser(server).get(LOGIN, Cookie=header).url
    entry = server.journal("/logout")[0]
    assert entry["session"] == server.sessions()[-1]["id"]
    assert set(entry["cookies"]) >= FOUR
    assert server.sessions()[-1]["logouts"] == 1
    assert not server.sessions()[-1]["alive"]


def test_logout_without_a_session(server: StandIn) -> None:
    answer = Browser(server).get(LOGOUT, follow=False)
    assert answer.status == 302
    assert answer.headers["location"] == LOGIN
    assert len(answer.set_cookies) == 4


def test_return_to_elsewhere_is_ignored(server: StandIn) -> None:
    url = LOGOUT + "&return_to=https://www.angel.com.evil.example/"
    assert Browser(server).get(url, follow=False).headers["location"] == LOGIN


def test_session_ended_by_somebody_else(server: StandIn, browser: Browser) -> None:
    server.end_session(server.sessions()[-1]["id"])
    assert not server.check(cookies=browser.cookies())
    assert server.sessions()[-1]["logouts"] == 0


# The process and its control interface


def test_restart_keeps_users_sessions_and_ca(tmp_path: Any) -> None:
    with StandIn("angel", tmp_path) as server:
        server.add_user("third@example.com", "pass", id="7")
        browser = Browser(server)
        browser.log_in("third@example.com", "pass")
        port, ca = server.port, Path(server.ca_file).read_text()
        server.restart()
        assert server.port == port
        assert Path(server.ca_file).read_text() == ca
        assert json.loads(me(browser, browser.cookies()["angel_jwt_v2"]).text)["data"]
        start = time.monotonic()
        server.stop()
        assert time.monotonic() - start < 1
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        server.start()
        browser.get(LOGOUT, follow=False)
        server.kill()
        server.start()
        assert [one["alive"] for one in server.sessions()] == [False]


def test_closed_port(server: StandIn) -> None:
    server.settings(listening=False)
    with pytest.raises(ConnectionRefusedError):
        ask(server)
    server.settings(listening=True)
    assert b" 302 " in ask(server)


def test_control_refuses_nonsense(server: StandIn) -> None:
    with pytest.raises(ValueError, match="unknown fault 'explode'"):
        server.fault("/logout", "explode")
    with pytest.raises(ValueError, match="unknown setting"):
        server.settings(nonsense=1)
    with pytest.raises(ValueError, match="takes one of"):
        server.settings(tls="sometimes")
    with pytest.raises(ValueError, match="404"):
        server.end_session("nobody")
