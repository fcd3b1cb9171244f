"""The stand-in for a Linxup shop itself: does it do what such a shop does?"""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
import time
from typing import Any, Callable

import pytest

from tests.servers.client import Answer
from tests.servers.fixture import StandIn
from tests.servers.linxup.client import API, Client

LOGIN, REFRESH, LOGOUT = (f"{API}/linxup/auth/{name}" for name in ("login", "refresh", "logout"))
ACCOUNT, CART = f"{API}/linxup/account", f"{API}/cart"
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


def test_refused_logins(shop: StandIn) -> None:
    client = Client(shop)
    answer = client.log_in(shop.VIEWER[0], "wrong")
    assert (answer.status, answer.set_cookies) == (401, [])
    assert answer.json == {"success": False, "error": "invalid_credentials"}
    assert client.ask("POST", LOGIN, ["nonsense"]).status == 400
    assert client.ask("POST", LOGIN, {"username": 1, "password": None}).status == 400
    assert client.ask("GET", LOGIN).status == 405
    assert client.ask("GET", "/shop/api/nowhere").status == 404
    assert shop.sessions() == []


def test_customer_number_is_the_same_again(shop: StandIn, client: Client) -> None:
    again, other = Client(shop), Client(shop)
    again.log_in(*shop.VIEWER)
    other.log_in(*shop.NON_ASCII)
    assert again.cookies["bc_customer_id"] == client.cookies["bc_customer_id"]
    assert other.cookies["bc_customer_id"] != client.cookies["bc_customer_id"]
    assert [one["alive"] for one in shop.sessions()] == [True, True, True]


# Renewal and expiry


def test_refresh_rotates(shop: StandIn, client: Client) -> None:
    old = dict(client.cookies)
    answer = client.ask("POST", REFRESH)
    assert (answer.status, answer.json) == (200, {"success": True})
    assert set(by_name(answer.set_cookies)) == {"refresh_token", "access_token"}
    assert client.cookies["refresh_token"] != old["refresh_token"]
    assert client.ask("GET", ACCOUNT).status == 200
    assert not shop.check(refresh_token=old["refresh_token"])
    assert shop.check(refresh_token=client.cookies["refresh_token"])
    assert shop.sessions()[-1]["renewals"] == 1


def test_reuse_of_a_refresh_token_ends_the_session(shop: StandIn, client: Client) -> None:
    old = dict(client.cookies)
    client.ask("POST", REFRESH)
    answer = client.ask("POST", REFRESH, cookies=old)
    assert (answer.status, answer.set_cookies) == (401, [])
    assert client.ask("POST", REFRESH).status == 401
    assert client.ask("GET", ACCOUNT).status == 401
    assert not shop.check(cookies=client.cookies)
    session = shop.sessions()[-1]
    assert (session["alive"], session["ended_by"]) == (False, "reuse")


def test_expiry(shop: StandIn) -> None:
    shop.settings(access_lifetime=60, refresh_lifetime=600)
    client = Client(shop)
    client.log_in(*shop.VIEWER)
    shop.settings(clock_offset=61)
    assert client.ask("GET", ACCOUNT).status == 401
    assert client.ask("POST", REFRESH).status == 200
    assert client.ask("GET", ACCOUNT).status == 200
    shop.settings(clock_offset=700)
    assert client.ask("POST", REFRESH).status == 401
    assert not shop.check(cookies=client.cookies)


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


@pytest.mark.parametrize(("generation", "status"), [("new", 200), ("old", 401)])
def test_logout_without_a_session(shop: StandIn, generation: str, status: int) -> None:
    shop.settings(generation=generation)
    client = Client(shop)
    client.log_in(*shop.VIEWER)
    old = dict(client.cookies)
    assert client.ask("POST", LOGOUT).status == 200
    for cookies in ({}, old, {"access_token": "no.such.token", "refresh_token": "é"}):
        answer = client.ask("POST", LOGOUT, cookies=cookies)
        assert (answer.status, answer.json) == (status, {"success": True})
        assert bool(answer.set_cookies) == (status == 200)


def test_auth_api_down(shop: StandIn, client: Client) -> None:
    shop.settings(auth_down=True)
    for method, path in (("POST", LOGOUT), ("POST", REFRESH), ("GET", ACCOUNT)):
        answer = client.ask(method, path)
        assert (answer.status, answer.set_cookies) == (500, [])
        assert answer.json["success"] is False
        assert answer.json["error"]
        assert "ConnectError" in answer.json["details"], "a refused connection, a real one"
    assert client.log_in(*shop.VIEWER).status == 500
    assert shop.sessions()[-1]["alive"]
    shop.settings(auth_down=False)
    assert client.ask("POST", LOGOUT).status == 200
    assert [one["alive"] for one in shop.sessions()] == [False]


@pytest.mark.parametrize(
    ("status", "ends"), [(202, True), (204, True), (302, True), (403, False), (503, False)]
)
def test_odd_status_is_relayed(shop: StandIn, client: Client, status: int, ends: bool) -> None:
    shop.settings(auth_status=status)
    answer = client.ask("POST", LOGOUT)
    assert answer.status == status
    assert answer.json == (None if status == 204 else {"success": True})
    assert set(by_name(answer.set_cookies)) == (AUTH if ends else set())
    session = shop.sessions()[-1]
    assert session["alive"] is not ends
    assert set(session["logout_cookies"]) == ALL


def test_partial_deletion_leaves_a_session(shop: StandIn, client: Client) -> None:
    shop.settings(partial_deletion=True)
    answer = client.ask("POST", LOGOUT)
    assert (answer.status, answer.json) == (200, {"success": True})
    assert set(by_name(answer.set_cookies)) == {"access_token", "person_id"}
    assert set(client.cookies) == {"refresh_token", "bc_customer_id"}
    assert client.ask("GET", ACCOUNT).status == 401
    assert shop.check(cookies=client.cookies)
    assert client.ask("POST", REFRESH).status == 200


def test_spoiled_logouts_end_nothing(shop: StandIn, client: Client) -> None:
    """The front's mark goes through the storefront to the auth API."""
    shop.fault(LOGOUT, "with_status", times=1, code=500)
    answer = client.ask("POST", LOGOUT, cookies=dict(client.cookies))
    assert (answer.status, set(by_name(answer.set_cookies))) == (500, AUTH)
    session = shop.sessions()[-1]
    assert (session["alive"], session["logouts"], session["logout_cookies"]) == (True, 0, [])
    shop.fault(LOGOUT, "ended_but_reset", times=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        client.ask("POST", LOGOUT)
    assert not shop.sessions()[-1]["alive"]


def test_session_ended_by_somebody_else(shop: StandIn, client: Client) -> None:
    shop.end_session(shop.sessions()[-1]["id"])
    assert client.ask("GET", ACCOUNT).status == 401
    assert client.ask("POST", REFRESH).status == 401
    assert shop.sessions()[-1]["ended_by"] == "somebody else"
    with pytest.raises(ValueError, match="404"):
        shop.end_session("nobody")


# The cart


def put(client: Client, sku: str, quantity: int = 1) -> Answer:
    return client.ask("POST", f"{CART}/items", {"sku": sku, "quantity": quantity})


def test_cart_outlives_the_logout(shop: StandIn, client: Client) -> None:
    assert client.ask("GET", CART).json == {"cart": None}
    assert put(client, "GPS-OBD-ACT", 2).status == 201
    put(client, "SOLAR-AT-ACT")
    put(client, "HARNESS-16")
    put(client, "GPS-OBD-ACT")
    client.ask("POST", LOGOUT)
    items = client.ask("GET", CART).json["cart"]["items"]
    assert [(item["sku"], item["quantity"]) for item in items] == [
        ("GPS-OBD-ACT", 3),
        ("SOLAR-AT-ACT", 1),
        ("HARNESS-16", 1),
    ]
    assert put(client, "CAM-DUO-ACT").status == 403, "nobody is signed in"

    assert put(client, "GPS-OBD-NON", 3).status == 201
    assert client.ask("DELETE", f"{CART}/items/{items[0]['id']}").status == 200
    assert client.ask("DELETE", f"{CART}/items/{items[0]['id']}").status == 404
    assert put(client, "SOLAR-AT-NON").status == 404, "there is no such variant"
    items = client.ask("GET", CART).json["cart"]["items"]
    assert [item["sku"] for item in items] == ["SOLAR-AT-ACT", "HARNESS-16", "GPS-OBD-NON"]
    for item in items:
        last = client.ask("DELETE", f"{CART}/items/{item['id']}")
    assert last.json == {"cart": None}


def test_products_and_refused_items(shop: StandIn) -> None:
    client = Client(shop)
    skus = [one["sku"] for one in client.ask("GET", f"{API}/products").json["products"]]
    suffixes = {"-ACT", "-NON"}
    assert {sku[-4:] for sku in skus} > suffixes
    lonely = {s[:-4] for s in skus if s.endswith("-ACT")} - {
        s[:-4] for s in skus if s.endswith("-NON")
    }
    assert lonely == {"SOLAR-AT"}
    for body, status in (({"sku": "NO-SUCH"}, 404), ({}, 400), ([], 400), ({"sku": 1}, 404)):
        assert client.ask("POST", f"{CART}/items", body).status == status
    for quantity in (0, -1, 1000, "2", True):
        assert (
            client.ask("POST", f"{CART}/items", {"sku": "HARNESS-16", "quantity": quantity}).status
            == 400
        )
    assert client.cookies == {}


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


def test_plain_mode() -> None:
    with StandIn("linxup.plain") as shop:
        assert shop.parameters == {"base": f"http://localhost:{shop.port}"}
        client = Client(shop)
        answer = client.log_in(*shop.VIEWER)
        lines = by_name(answer.set_cookies)
        assert lines["access_token"].endswith("; HttpOnly; Secure; SameSite=None")
        assert client.ask("GET", ACCOUNT).status == 200
        shop.settings(development=True)
        shop.fault(LOGOUT, "status:503", times=1)
        assert client.ask("POST", LOGOUT, cookies=dict(client.cookies)).status == 503
        assert shop.sessions()[-1]["alive"]
        shop.restart()
        assert client.ask("POST", LOGOUT).set_cookies[0].endswith("; HttpOnly; SameSite=Lax")
        assert not shop.sessions()[-1]["alive"]
        entry = shop.journal(LOGOUT)[-1]
        assert (entry["scheme"], entry["host"]) == ("http", f"localhost:{shop.port}")


# The process


def test_restart_keeps_everything(tmp_path: Any) -> None:
    with StandIn("linxup", tmp_path) as shop:
        shop.add_user("third@example.com", "pass", id="7")
        client = Client(shop)
        client.log_in("third@example.com", "pass")
        old = dict(client.cookies)
        client.ask("POST", REFRESH)
        put(client, "CAM-DUO-ACT")
        shop.settings(auth_down=True)
        shop.kill()
        shop.start()
        assert client.ask("POST", LOGOUT).status == 500
        shop.settings(auth_down=False)
        assert client.ask("GET", ACCOUNT).json["person"]["id"] == "7"
        assert client.ask("GET", CART).json["cart"]["items"][0]["sku"] == "CAM-DUO-ACT"
        shop.restart()
        assert client.ask("POST", REFRESH, cookies=old).status == 401, "used before the restarts"
        assert [one["ended_by"] for one in shop.sessions()] == ["reuse"]
        client.log_in("third@example.com", "pass")
        assert client.cookies["bc_customer_id"] == old["bc_customer_id"]


def test_control_refuses_nonsense(shop: StandIn) -> None:
    for changes in ({"auth_status": 99}, {"generation": "newer"}, {"nonsense": 1}):
        with pytest.raises(ValueError, match="setting"):
            shop.settings(**changes)
