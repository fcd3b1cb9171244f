"""The stand-in whose logout always answers 200: does it do what such a service does?"""

from __future__ import annotations

import base64
import http.client
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
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
    return client.post(LOGIN, {"username": username, "password": password})


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


# Login


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_login_gives_a_token_and_a_cookie(service: StandIn, who: tuple[str, str]) -> None:
    client = Client(service)
    answer = log_in(client, *who)
    assert answer.status == 200
    shown = {name: answer.json[name] for name in ("success", "token_type", "expires_in")}
    assert shown == {"success": True, "token_type": "bearer", "expires_in": 900}
    assert set(answer.json) == {*shown, "access_token", "user"}
    assert answer.json["user"] in service.users()
    assert answer.headers["cache-control"] == "no-store"
    assert_set(answer)
    claims = json.loads(base64.urlsafe_b64decode(client.token.split(".")[1] + "=="))
    assert (claims["email"], claims["exp"] - claims["iat"]) == (who[0], 900)
    assert client.get(ME).json == answer.json["user"]
    session = service.sessions()[-1]
    assert (session["email"], session["alive"]) == (who[0], True)
    assert service.journal(ME)[-1]["session"] == session["id"] == claims["sid"]


def test_wrong_password_and_unknown_account(service: StandIn) -> None:
    client = Client(service)
    refused = log_in(client, service.VIEWER[0], "wrong")
    assert (refused.status, refused.cookies) == (401, {})
    assert log_in(client, "nobody@example.com", "x").status == 401
    assert client.post(LOGIN, {"email": service.VIEWER[0]}).status == 422
    assert service.sessions() == []
    assert events(service) == [("login_failed", "")] * 2


# Renewal


def test_refresh_rotates(service: StandIn, client: Client) -> None:
    old = client.copy()
    client.token = ""
    answer = client.post(REFRESH)
    assert answer.status == 200
    assert set(answer.json) == {"success", "access_token", "expires_in"}
    assert_set(answer)
    assert client.cookies != old.cookies
    assert client.get(ME).status == 200
    assert old.get(ME).status == 200, "the access token before it lives until it expires"
    assert service.check(cookies=client.cookies)
    assert service.check(refresh_token=client.cookies["refresh_token"])
    assert not service.check(cookies=old.cookies)
    session = service.sessions()[-1]
    assert (session["alive"], session["renewals"], session["reuses"]) == (True, 1, 0)
    assert service.journal(REFRESH)[-1]["session"] == session["id"]


def test_reuse_ends_the_session(service: StandIn, client: Client) -> None:
    thief, other = client.copy(), signed_in(service)
    assert client.post(REFRESH).status == 200
    assert thief.post(REFRESH).json == {"detail": "Refresh token was used before"}
    session = service.sessions()[0]
    assert (session["alive"], session["reuses"], session["logouts"]) == (False, 1, 0)
    assert client.get(ME).status == thief.get(ME).status == 401
    assert client.post(REFRESH).status == 401
    assert other.get(ME).status == other.post(REFRESH).status == 200


def test_five_refreshes_at_once_are_one_and_a_reuse(service: StandIn, client: Client) -> None:
    with ThreadPoolExecutor(5) as pool:
        five = list(pool.map(lambda one: one.post(REFRESH), [client.copy() for _ in range(5)]))
    assert sorted(one.status for one in five) == [200, 401, 401, 401, 401]
    session = service.sessions()[-1]
    assert (session["alive"], session["renewals"], session["reuses"]) == (False, 1, 1)


def test_refresh_needs_a_token_that_holds(service: StandIn, client: Client) -> None:
    assert Client(service).post(REFRESH).status == 401
    session = service.sessions()[-1]["id"]
    forged = Client(service, cookies={"refresh_token": f"{session}.{'x' * 43}"})
    assert forged.post(REFRESH).status == 401
    service.settings(clock_offset=MONTH + 1)
    assert client.post(REFRESH).json == {"detail": "Token has expired"}
    assert service.sessions()[-1]["reuses"] == 0


def test_expired_token_is_renewed(service: StandIn, client: Client) -> None:
    service.settings(clock_offset=901)
    assert client.get(ME).json == {"detail": "Token has expired"}
    assert not service.check(jwt=client.token)
    assert client.post(REFRESH).status == 200
    assert client.get(ME).status == 200


def test_lost_answer_of_a_refresh_has_rotated(service: StandIn, client: Client) -> None:
    service.fault(REFRESH, "reset_after_read", times=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        client.post(REFRESH)
    assert service.sessions()[-1]["renewals"] == 1
    assert client.post(REFRESH).status == 401


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


def test_session_ended_by_somebody_else(service: StandIn, client: Client) -> None:
    service.end_session(service.sessions()[-1]["id"])
    assert client.get(ME).json == {"detail": "Token has been revoked"}
    assert client.post(REFRESH).status == 401
    assert not service.check(jwt=client.token)
    assert not service.check(cookies=client.cookies)
    with pytest.raises(ValueError, match="nobody"):
        service.end_session("nobody")


# Logout


@pytest.mark.parametrize("given", ["both", "token", "cookie"])
def test_logout_revokes_what_it_is_given(service: StandIn, client: Client, given: str) -> None:
    first = client.copy()
    client.post(REFRESH)
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


def test_deny_list_forgets_what_has_expired(service: StandIn, client: Client) -> None:
    client.post(LOGOUT)
    service.settings(clock_offset=901)
    signed_in(service).post(LOGOUT)
    with closing(sqlite3.connect(str(service.directory / "service.sqlite3"))) as db:
        assert db.execute("SELECT count(*) FROM denied").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM refresh_tokens").fetchone() == (0,)


@pytest.fixture
def row(service: StandIn, client: Client, request: pytest.FixtureRequest) -> Client:
    """A client in the state that a row of the table names."""
    if request.param == "missing":
        client.token = ""
        client.cookies.clear()
    elif request.param == "invalid":
        client.token = client.token[:-6] + "AAAAAA"
    elif request.param == "expired":
        service.settings(clock_offset=901)
    elif request.param == "revoked":
        client.copy().post(LOGOUT)
    elif request.param == "database":
        service.settings(database_fails=True)
    return client


ROWS = ["", "missing", "invalid", "expired", "revoked", "database"]


@pytest.mark.parametrize("row", ROWS, indirect=True, ids=lambda name: name or "valid")
def test_rows_of_the_new_generation(
    service: StandIn, row: Client, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["row"]
    before = row.copy()
    count = len(events(service))
    answer = row.post(LOGOUT)
    assert (answer.status, answer.json) == (200, DONE)
    assert_deleted(answer)
    added = [] if name == "database" else [("logout", name)]
    assert events(service)[count:] == added
    service.settings(database_fails=False)
    # A cookie is as good as a token; without both nobody knows whose session it was.
    lives = name in ("missing", "database")
    assert service.sessions()[-1]["alive"] == lives
    if name == "database":
        assert before.get(ME).status == before.post(REFRESH).status == 200


@pytest.mark.parametrize("refusal", [401, 403])
@pytest.mark.parametrize("row", ROWS, indirect=True, ids=lambda name: name or "valid")
def test_rows_of_the_old_generation(
    service: StandIn, row: Client, refusal: int, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["row"]
    count = len(events(service))
    service.settings(generation="old", old_refusal=str(refusal))
    answer = row.post(LOGOUT)
    assert answer.status == {"": 200, "database": 500}.get(name, refusal)
    assert bool(answer.cookies) == (name == "")
    assert events(service)[count:] == ([] if name else [("logout", "")])
    assert service.sessions()[-1]["alive"] == (name not in ("", "revoked"))


def test_database_fails_everywhere_else(service: StandIn, client: Client) -> None:
    service.settings(database_fails=True)
    assert log_in(Client(service), *service.VIEWER).status == 500
    for answer in (client.get(ME), client.get(SESSIONS), client.post(REFRESH)):
        assert (answer.status, answer.json) == (500, {"detail": "Internal Server Error"})
    service.settings(database_fails=False)
    assert client.post(REFRESH).status == 200, "it was not used"


# Behind the front


def test_faults_spoil_an_answer_that_ended_nothing(service: StandIn, client: Client) -> None:
    client.copy().post(REFRESH)
    client = signed_in(service)
    session = service.sessions()[-1]["id"]
    service.fault(LOGOUT, "no_deletion", times=1)
    answer = client.post(LOGOUT)
    assert (answer.json, answer.cookies) == (DONE, {})
    service.fault(f"{SESSIONS}/*", "with_status", code=503, times=1)
    assert client.delete(f"{SESSIONS}/{session}").status == 503
    assert client.get(ME).status == 200
    assert service.sessions()[-1]["alive"]
    assert [event for event, _ in events(service)] == ["login", "refresh", "login"]
    service.fault(LOGOUT, "ended_but_reset", times=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        client.post(LOGOUT)
    assert client.get(ME).status == 401
    assert service.sessions()[-1]["logouts"] == 1


def test_state_outlives_stop_and_kill(tmp_path: Path) -> None:
    with StandIn("idempotent", tmp_path) as server:
        server.add_user("third@example.com", "pass", id="7")
        gone, stays = Client(server), signed_in(server)
        assert log_in(gone, "third@example.com", "pass").json["user"]["id"] == "7"
        gone.post(LOGOUT)
        thief = stays.copy()
        stays.post(REFRESH)
        server.kill()
        server.start()
        assert (gone.get(ME).status, stays.get(ME).status) == (401, 200)
        server.restart()
        assert thief.post(REFRESH).status == 401
        assert [one["reuses"] for one in server.sessions()] == [1, 0]
        log_in(stays, *server.VIEWER)
        server.reset()
        assert stays.get(ME).status == stays.post(REFRESH).status == 401, "of a test before"
        assert server.sessions() == []


def test_secrets_are_not_in_the_file(service: StandIn, client: Client) -> None:
    log_in(Client(service), service.VIEWER[0], "a wrong one")
    text = (service.directory / "service.sqlite3").read_bytes()
    tokens = [client.token, client.cookies["refresh_token"]]
    for secret in (service.VIEWER[1], service.NON_ASCII[1], "a wrong one", *tokens):
        assert secret.encode() not in text
