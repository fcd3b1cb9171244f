"""The stand-in for a Linxup shop itself: does it do what such a shop does?"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from typing import Any, Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.linxup.client import API, Client

REFRESH, LOGOUT = (f"{API}/linxup/auth/{name}" for name in ("refresh", "logout"))
ACCOUNT = f"{API}/linxup/account"
AUTH = {"refresh_token", "access_token", "person_id"}
ALL = AUTH | {"bc_customer_id"}
PAST = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.fixture
def shop(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("linxup").reset()


@pytest.fixture
def client(shop: StandIn) -> Client:
    """Signed in as the viewer."""
    client = Client(shop)
    assert client.log_in(*shop.VIEWER).status == 200
    return client


def by_name(lines: list[str]) -> dict[str, str]:
    found = {line.partition("=")[0]: line for line in lines}
    assert len(found) == len(lines)
    return found


def claims(jwt: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(jwt.split(".")[1] + "=="))
    return found


# Login


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_login_sets_the_cookies_of_both_servers(shop: StandIn, who: tuple[str, str]) -> None:
    client = Client(shop)
    answer = client.log_in(*who)
    user = next(user for user in shop.users() if user["email"] == who[0])
    assert answer.json == {"success": True, "person": user}
    lines = by_name(answer.set_cookies)
    assert set(lines) == ALL
    for name in AUTH:
        assert lines[name].endswith("; HttpOnly; Secure; SameSite=None")
        assert "; Path=/; Expires=" in lines[name]
        assert "Domain" not in lines[name]
    assert lines["bc_customer_id"].endswith("; Secure; SameSite=Lax")
    assert "HttpOnly" not in lines["bc_customer_id"]
    assert "Max-Age=2592000;" in lines["refresh_token"]
    assert "Max-Age=3600;" in lines["access_token"]
    assert client.cookies["person_id"] == user["id"]
    known = claims(client.cookies["access_token"])
    assert (known["sub"], known["email"]) == (user["id"], who[0])
    assert known["exp"] == pytest.approx(time.time() + 3600, abs=5)
    assert client.ask("GET", ACCOUNT).json == {"person": user}


def test_customer_number_is_the_same_again(shop: StandIn, client: Client) -> None:
    again, other = Client(shop), Client(shop)
    again.log_in(*shop.VIEWER)
    other.log_in(*shop.NON_ASCII)
    assert again.cookies["bc_customer_id"] == client.cookies["bc_customer_id"]
    assert other.cookies["bc_customer_id"] != client.cookies["bc_customer_id"]
    assert [one["alive"] for one in shop.sessions()] == [True, True, True]


# Logout


def test_logout_reaches_the_auth_api(shop: StandIn, client: Client) -> None:
    old = dict(client.cookies)
    shop.clear_journal()
    answer = client.ask("POST", LOGOUT)
    assert (answer.status, answer.json) == (200, {"success": True})
    lines = by_name(answer.set_cookies)
    assert set(lines) == AUTH
    for name, line in lines.items():
        assert line == f"{name}=; Path=/; {PAST}; HttpOnly; Secure; SameSite=None"
    assert set(client.cookies) == {"bc_customer_id"}, "this one is the client's to delete"
    for name in ("access_token", "refresh_token"):
        assert not shop.check(cookies={name: old[name]})
    assert client.ask("GET", ACCOUNT, cookies=old).status == 401
    assert client.ask("POST", REFRESH, cookies=old).status == 401
    session = shop.sessions()[-1]
    assert (session["alive"], session["ended_by"], session["logouts"]) == (False, "logout", 1)
    assert set(session["logout_cookies"]) == ALL, "forwarded, all of them"
    entry = shop.journal(LOGOUT)[0]
    assert entry["session"] == session["id"]
    assert (set(entry["cookies"]), entry["answer"]) == (ALL, 200)


def test_logout_by_the_refresh_token_alone(shop: StandIn, client: Client) -> None:
    used = client.cookies["refresh_token"]
    client.ask("POST", REFRESH)
    assert client.ask("POST", LOGOUT, cookies={"refresh_token": used}).status == 200
    assert shop.sessions()[-1]["ended_by"] == "logout"


# Development


def test_development_attributes(shop: StandIn) -> None:
    shop.settings(development=True)
    client = Client(shop)
    lines = [*client.log_in(*shop.VIEWER).set_cookies, *client.ask("POST", LOGOUT).set_cookies]
    assert len(lines) == len(ALL) + len(AUTH)
    for line in lines:
        assert "Secure" not in line
        assert line.endswith("; SameSite=Lax")
        assert ("HttpOnly" in line) != line.startswith("bc_customer_id")


def test_plain_from_the_command_line() -> None:
    command = [sys.executable, "-m", "tests.servers", "linxup.plain", "--with-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(5) == 0, "it ends with its parent"
    assert ready["parameters"]["base"] == f"http://localhost:{ready['port']}"
    assert ready["control"]


# The process
