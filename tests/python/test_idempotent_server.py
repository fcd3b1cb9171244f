"""The stand-in whose logout always answers 200: does it do what such a service does?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Callable

import pytest

from tests.servers.client import Answer, Client
from tests.servers.fastapi_parts.audit import audit_log
from tests.servers.fixture import StandIn

API = "/api/auth"
LOGIN, REFRESH, LOGOUT = f"{API}/login", f"{API}/refresh", f"{API}/logout"
ME, SESSIONS = f"{API}/me", f"{API}/sessions"
DONE = {"success": True, "message": "Successfully logged out"}
MONTH = 30 * 24 * 3600


@pytest.fixture
def service(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("idempotent").reset()


@pytest.fixture
def client(service: StandIn) -> Client:
    """Signed in as the viewer."""
    return signed_in(service)


def signed_in(server: StandIn) -> Client:
    client = Client(server)
    assert log_in(client, *server.VIEWER).status == 200
    return client


def log_in(client: Client, username: str, password: str) -> Answer:
    return client.submit(LOGIN, {"username": username, "password": password})


def events(server: StandIn) -> list[tuple[str, str]]:
    return [(one["event"], one["detail"]) for one in audit_log(server.directory)]


def assert_set(answer: Answer) -> None:
    cookie = answer.cookies["refresh_token"]
    assert cookie.value
    assert cookie["httponly"]
    assert cookie["secure"]
    assert (cookie["samesite"].lower(), cookie["path"], cookie["domain"]) == ("lax", "/", "")
    assert cookie["max-age"] == str(MONTH)


def assert_deleted(answer: Answer) -> None:
    cookie = answer.cookies["refresh_token"]
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", "/")
    assert cookie["domain"] == ""
    assert cookie["expires"]


# Renewal


def test_five_refreshes_at_once_are_one_and_a_reuse(service: StandIn, client: Client) -> None:
    with ThreadPoolExecutor(5) as pool:
        five = list(pool.map(lambda one: one.post(REFRESH), [client.copy() for _ in range(5)]))
    assert sorted(one.status for one in five) == [200, 401, 401, 401, 401]
    session = service.sessions()[-1]
    assert (session["alive"], session["renewals"], session["reuses"]) == (False, 1, 1)


# Sessions


def test_sessions_are_listed_and_ended(service: StandIn, client: Client) -> None:
    other, stranger = signed_in(service), Client(service)
    log_in(stranger, *service.NON_ASCII)
    first, second, third = (one["id"] for one in service.sessions())
    listed = client.get(SESSIONS).json["sessions"]
    assert [(one["id"], one["current"]) for one in listed] == [(first, True), (second, False)]
    assert all(datetime.fromisoformat(one["created_at"][:19]) for one in listed)
    assert client.delete(f"{SESSIONS}/{third}").status == 404
    assert client.delete(f"{SESSIONS}/nobody").status == 404
    assert Client(service).delete(f"{SESSIONS}/{second}").status == 401
    ended = client.delete(f"{SESSIONS}/{second}")
    assert (ended.status, ended.json) == (200, {"success": True})
    assert client.delete(f"{SESSIONS}/{second}").status == 404
    assert other.get(ME).status == other.post(REFRESH).status == 401
    assert [one["alive"] for one in service.sessions()] == [True, False, True]
    assert [one["id"] for one in client.get(SESSIONS).json["sessions"]] == [first]
    assert client.delete(f"{SESSIONS}/{first}").status == 200
    assert client.get(ME).status == 401


# Logout


@pytest.mark.parametrize("given", ["both", "token", "cookie"])
def test_logout_revokes_what_it_is_given(service: StandIn, client: Client, given: str) -> None:
    first = client.copy()
    assert_set(client.post(REFRESH))
    before = client.copy()
    if given == "cookie":
        client.token = ""
    elif given == "token":
        client.cookies.clear()
    answer = client.post(LOGOUT)
    assert (answer.status, answer.json) == (200, DONE)
    assert_deleted(answer)
    for one in (first, before):
        assert not service.check(jwt=one.token)
        assert not service.check(cookies=one.cookies)
        assert one.get(ME).status == one.post(REFRESH).status == 401
    session = service.sessions()[-1]
    assert (session["alive"], session["logouts"]) == (False, 1)
    assert service.journal(LOGOUT)[-1]["session"] == session["id"]
    assert [event for event, _ in events(service)] == ["login", "refresh", "logout"]


# Behind the front
