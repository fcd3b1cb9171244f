"""The stand-in for Angel Studios itself: does it do what the service does?"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from tests.servers.browser import (
    FOUR,
    LOGIN,
    LOGOUT,
    REMEMBER,
    Browser,
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
