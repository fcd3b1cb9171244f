"""The stand-in for WorkOS and for an application in front of it: does it do what they do?"""

from __future__ import annotations

import base64
import http.client
import json
import time
import urllib.parse
from typing import Any, Callable

import pytest

from tests.servers.browser import Answer, Browser
from tests.servers.fixture import StandIn

APP = "https://app.workos-demo.example"
WORKOS = "https://api.workos.com"
AUTHENTICATE = f"{WORKOS}/user_management/authenticate"
LOGOUT = f"{WORKOS}/user_management/sessions/logout"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CLIENT = {"client_id": "client_01DEMO"}
BOTH = pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("workos").reset()


@pytest.fixture
def signed_in(server: StandIn) -> Browser:
    browser = Browser(server)
    assert log_in(browser, *server.VIEWER).status == 200
    return browser


# The application: login, use, renewal


@BOTH
def test_login_seals_the_session_into_one_cookie(server: StandIn, who: tuple[str, str]) -> None:
    browser = Browser(server)
    answer = log_in(browser, *who)
    known = next(user for user in server.users() if user["email"] == who[0])
    assert answer.status == 200
    assert json.loads(answer.text) == {"user": known}
    assert "no-store" in answer.headers["cache-control"]
    (line,) = answer.set_cookies
    value, *attributes = line.split("; ")
    # Django quotes a value that holds "=", as the padding of a sealed one does.
    assert value.startswith("wos_session=")
    assert value.partition("=")[2].strip('"').startswith("gAAAA")
    assert {a for a in attributes if not a.startswith("expires=")} == {
        *("HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Lax", "Secure")
    }
    assert len(line) < 4096
    assert json.loads(me(browser).text) == known
    assert [one["email"] for one in server.sessions() if one["alive"]] == [who[0]]


def test_no_session_no_account(server: StandIn) -> None:
    for cookie in ("", "wos_session=", "wos_session=gAAAAnonsense", 'wos_session="x=="'):
        answer = Browser(server).get(f"{APP}/api/me/", Cookie=cookie)
        assert answer.status == 401, cookie
        assert post(Browser(server), "/api/refresh/", Cookie=cookie).status == 401, cookie


# The application: logout


def test_logout_gives_the_url_that_ends_the_session(server: StandIn, signed_in: Browser) -> None:
    cookie = header(signed_in)
    answer = post(signed_in, "/api/logout/")
    (session,) = server.sessions()
    url = json.loads(answer.text)["logout_url"]
    query = urllib.parse.urlencode({"session_id": session["id"], "return_to": f"{APP}/goodbye"})
    assert (answer.status, url) == (200, f"{LOGOUT}?{query}")
    assert answer.set_cookies == [
        'wos_session=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax'
    ]
    assert signed_in.cookies() == {}
    assert me(Browser(server), Cookie=cookie).status == 200, "nothing has ended yet"

    gone = signed_in.get(url, follow=False)
    assert (gone.status, gone.headers["location"]) == (302, f"{APP}/goodbye")
    assert not gone.set_cookies
    assert "signed out" in signed_in.get(url).text
    answer = me(Browser(server), Cookie=cookie)
    assert (answer.status, json.loads(answer.text)) == (401, {"error": "session_ended"})
    assert post(Browser(server), "/api/refresh/", Cookie=cookie).status == 401
    assert not server.check(cookies=parsed(cookie))
    (session,) = server.sessions()
    assert (session["alive"], session["ended_by"], session["logouts"]) == (False, "logout", 2)


def test_logout_without_a_session(server: StandIn) -> None:
    for cookie in ("", "wos_session=gAAAAnonsense"):
        answer = post(Browser(server), "/api/logout/", Cookie=cookie)
        assert (answer.status, json.loads(answer.text)) == (200, {"logout_url": None})
        assert answer.set_cookies[0].startswith('wos_session="";')


# The end of a session at WorkOS


def test_where_a_logout_leads(server: StandIn, signed_in: Browser) -> None:
    known = server.sessions()[0]["id"]
    for return_to, expected in (
        ("", f"{APP}/"),
        (f"{APP}/goodbye", f"{APP}/goodbye"),
        ("/goodbye", f"{APP}/"),
        ("https://evil.example/", f"{APP}/"),
    ):
        assert leads(signed_in, session_id=known, return_to=return_to) == expected
    assert leads(signed_in, session_id="session_01NOBODY") == f"{APP}/", "unknown, and sent on"
    missing = signed_in.get(LOGOUT, follow=False)
    assert (missing.status, list(json.loads(missing.text))) == (422, ["message"])
    server.settings(homepage="")
    nowhere = "https://error.workos.com/user_management/app-homepage-url-not-found"
    assert leads(signed_in, session_id=known) == nowhere


@pytest.mark.parametrize(("fault", "ends"), [("mid_body_reset", False), ("ended_but_reset", True)])
def test_a_fault_decides_whether_the_session_ends(
    server: StandIn, signed_in: Browser, fault: str, ends: bool
) -> None:
    url = json.loads(post(signed_in, "/api/logout/").text)["logout_url"]
    server.fault("/user_management/sessions/logout", fault, host="api.workos.com")
    with pytest.raises((OSError, http.client.HTTPException)):
        signed_in.get(url)
    (session,) = server.sessions()
    assert (session["alive"], session["logouts"]) == (not ends, int(ends))


# The tokens of WorkOS


def test_tokens_are_as_documented(server: StandIn) -> None:
    issued = device_tokens(server)
    assert set(issued) == {"user", "access_token", "refresh_token", "authentication_method"}
    user = issued["user"]
    assert (user["object"], user["email"]) == ("user", server.VIEWER[0])
    head, claims = (decoded(part) for part in issued["access_token"].split(".")[:2])
    (session,) = server.sessions()
    assert claims["exp"] - claims["iat"] == 300
    assert abs(claims["iat"] - time.time()) < 5
    assert (claims["sub"], claims["sid"]) == (user["id"], session["id"])
    assert claims["iss"] == WORKOS
    assert session["id"].startswith("session_01")
    (key,) = json.loads(Browser(server).get(f"{WORKOS}/sso/jwks/client_01DEMO").text)["keys"]
    assert (head["alg"], head["kid"]) == ("RS256", key["kid"])
    assert Browser(server).get(f"{WORKOS}/sso/jwks/client_01OTHER").status == 404


def test_rotation_and_reuse(server: StandIn) -> None:
    first = device_tokens(server)["refresh_token"]
    status, renewed = ask(server, grant_type="refresh_token", refresh_token=first)
    assert (status, renewed["refresh_token"] != first) == (200, True)
    status, error = ask(server, grant_type="refresh_token", refresh_token=first)
    assert (status, error) == (
        400,
        {"error": "invalid_grant", "error_description": "Refresh token already exchanged."},
    )
    newest = {"grant_type": "refresh_token", "refresh_token": renewed["refresh_token"]}
    assert ask(server, **newest)[1]["error"] == "invalid_grant"
    assert server.sessions()[0]["ended_by"] == "reuse"
    assert ask(server, grant_type="refresh_token", refresh_token="never")[0] == 400


def test_reuse_as_mild_as_the_real_one(server: StandIn) -> None:
    server.settings(reuse_grace=30, reuse_ends_session=False)
    first = {"grant_type": "refresh_token", "refresh_token": device_tokens(server)["refresh_token"]}
    once = ask(server, **first)
    again = ask(server, **first)
    assert once == again
    server.settings(clock_offset=31)
    assert ask(server, **first)[1]["error"] == "invalid_grant"
    newest = {"grant_type": "refresh_token", "refresh_token": once[1]["refresh_token"]}
    assert ask(server, **newest)[0] == 200


def test_requests_that_are_refused(server: StandIn) -> None:
    password = {"grant_type": "password", "email": "viewer@example.com", "password": "wrong"}
    assert ask(server, **password)[1]["error_description"].endswith("client_secret")
    for fields, error in (
        ({"grant_type": ""}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "client_id": "client_01OTHER"}, "invalid_client"),
        ({**password, "client_secret": "sk_test_wrong"}, "invalid_client"),
        ({"grant_type": DEVICE_GRANT, "device_code": "never"}, "invalid_grant"),
    ):
        status, answer = ask(server, **fields)
        assert (status, answer["error"]) == (400, error), fields
    browser = Browser(server)
    assert browser.get(f"{WORKOS}/user_management/users/user_01/sessions").status == 401
    assert browser.post(f"{WORKOS}/user_management/sessions/revoke", b"{}").status == 401


# Device login


def test_the_device_page_does_not_trust_a_strange_form(server: StandIn) -> None:
    device = start_device(server)
    for path in ("/device", "/device/confirm", "/sign-in"):
        form = {"user_code": device["user_code"], "action": "allow", "csrf_token": "guessed"}
        url = f"https://signin.workos-demo.example{path}"
        answer = Browser(server).post(url, urllib.parse.urlencode(form).encode())
        assert answer.status == 403


# What the tests say


def log_in(browser: Browser, email: str, password: str) -> Answer:
    body = json.dumps({"email": email, "password": password}, ensure_ascii=False)
    return browser.post(f"{APP}/api/login/", body.encode(), **{"Content-Type": "application/json"})


def post(browser: Browser, path: str, **headers: str) -> Answer:
    """Without a body, and without any CSRF token."""
    return browser.post(APP + path, b"", **headers)


def me(browser: Browser, **headers: str) -> Answer:
    return browser.get(f"{APP}/api/me/", **headers)


def header(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies().items())


def parsed(cookie: str) -> dict[str, str]:
    name, _, value = cookie.partition("=")
    return {name: value}


def leads(browser: Browser, **query: str) -> str:
    answer = browser.get(f"{LOGOUT}?{urllib.parse.urlencode(query)}", follow=False)
    assert answer.status == 302
    return str(answer.headers["location"])


def ask(server: StandIn, **fields: str) -> tuple[int, Any]:
    """The token endpoint, as a public client."""
    answer = Browser(server).post(
        AUTHENTICATE, urllib.parse.urlencode({**CLIENT, **fields}).encode()
    )
    return answer.status, json.loads(answer.text)


def start_device(server: StandIn, kind: str = "application/json") -> dict[str, Any]:
    body = json.dumps(CLIENT) if "json" in kind else urllib.parse.urlencode(CLIENT)
    url = f"{WORKOS}/user_management/authorize/device"
    answer = Browser(server).post(url, body.encode(), **{"Content-Type": kind})
    assert answer.status == 200
    device: dict[str, Any] = json.loads(answer.text)
    return device


def device_tokens(server: StandIn) -> dict[str, Any]:
    device = start_device(server)
    server.approve(device["user_code"])
    status, issued = ask(server, grant_type=DEVICE_GRANT, device_code=device["device_code"])
    assert status == 200
    tokens: dict[str, Any] = issued
    return tokens


def decoded(part: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return value
