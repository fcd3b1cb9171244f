"""The stand-in with stateless JWTs and an audit log: does it do what such a service does?"""

from __future__ import annotations

import base64
import http.client
import json
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.servers.client import Answer, Client
from tests.servers.fastapi_parts.audit import audit_log
from tests.servers.fixture import StandIn

LOGIN, ME, LOGOUT = "/auth/login", "/auth/me", "/auth/logout"
DONE = {"message": "Logout successful"}


@pytest.fixture
def service(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("jwt-audit").reset()


@pytest.fixture
def client(service: StandIn) -> Client:
    """Signed in as the viewer."""
    client = Client(service)
    assert log_in(client, *service.VIEWER).status == 200
    return client


def log_in(client: Client, email: str, password: str) -> Answer:
    return client.post(LOGIN, {"email": email, "password": password})


def events(server: StandIn) -> list[tuple[str, str]]:
    return [(one["event"], one["detail"]) for one in audit_log(server.directory)]


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# Login


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_login_gives_a_token_for_half_an_hour(service: StandIn, who: tuple[str, str]) -> None:
    client = Client(service)
    answer = log_in(client, *who)
    assert answer.status == 200
    assert set(answer.json) == {"access_token", "token_type", "expires_in", "user"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("bearer", 1800)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["user"] in service.users()
    header, claims = (
        json.loads(base64.urlsafe_b64decode(one + "==")) for one in client.token.split(".")[:2]
    )
    assert header == {"alg": "HS256", "typ": "JWT"}
    user = answer.json["user"]
    assert [claims[name] for name in ("sub", "email", "name")] == list(user.values())
    assert claims["exp"] - claims["iat"] == 1800
    assert abs(claims["iat"] - time.time()) < 5
    assert client.get(ME).json == user
    assert user["email"] == who[0]
    session = service.sessions()[-1]
    assert (session["email"], session["alive"], session["logouts"]) == (who[0], True, 0)
    first, second = service.journal()
    assert first["has_password"]
    assert (second["bearer"], second["session"]) == (True, session["id"])


def test_wrong_password_and_unknown_account(service: StandIn) -> None:
    client = Client(service)
    refused = log_in(client, service.VIEWER[0], "wrong")
    assert refused.status == 401
    assert refused.json == {"detail": "Incorrect username or password"}
    assert log_in(client, "nobody@example.com", "x").status == 401
    assert client.post(LOGIN, {"email": service.VIEWER[0]}).status == 422
    assert service.sessions() == []
    assert events(service) == [("login_failed", "")] * 2


def test_tokens_that_are_not_accepted(service: StandIn, client: Client) -> None:
    header, claims, signature = client.token.split(".")
    for token in (
        "",
        "nonsense",
        "a.b.c",
        f"{header}.{claims}.{signature[::-1]}",
        f"{part({'alg': 'none', 'typ': 'JWT'})}.{claims}.",
        f"{header}.{part({'sub': '1', 'exp': 2**31, 'iat': 0, 'jti': 'x'})}.{signature}",
    ):
        refused = Client(service, token).get(ME)
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert not service.check(jwt=token)
    service.settings(clock_offset=1801)
    assert client.get(ME).json == {"detail": "Token has expired"}
    assert not service.check(jwt=client.token)


def test_session_ended_by_somebody_else(service: StandIn, client: Client) -> None:
    service.end_session(service.sessions()[-1]["id"])
    assert client.get(ME).json == {"detail": "Token has been revoked"}
    assert not service.check(jwt=client.token)
    session = service.sessions()[-1]
    assert (session["alive"], session["logouts"]) == (False, 0)
    with pytest.raises(ValueError, match="nobody"):
        service.end_session("nobody")


# Logout


def test_token_outlives_its_logout(service: StandIn, client: Client) -> None:
    answer = client.post(LOGOUT)
    assert (answer.status, answer.json) == (200, DONE)
    assert client.get(ME).status == 200
    assert service.check(jwt=client.token)
    session = service.sessions()[-1]
    assert (session["alive"], session["logouts"]) == (True, 1)
    assert audit_log(service.directory)[-1]["session"] == session["id"]
    assert service.journal(LOGOUT)[-1]["session"] == session["id"]
    assert client.post(LOGOUT).json == DONE
    assert service.sessions()[-1]["logouts"] == 2


def test_deny_list_ends_the_token(service: StandIn, client: Client) -> None:
    service.settings(deny_list=True)
    other = Client(service)
    log_in(other, *service.VIEWER)
    assert client.post(LOGOUT).json == DONE
    assert client.get(ME).json == {"detail": "Token has been revoked"}
    assert not service.check(jwt=client.token)
    assert [one["alive"] for one in service.sessions()] == [False, True]
    assert other.get(ME).status == 200
    assert client.post(LOGOUT).json == DONE
    assert events(service)[-2:] == [("logout", ""), ("logout", "revoked")]


def test_audit_log_that_fails_is_a_warning(service: StandIn, client: Client) -> None:
    service.settings(audit_fails=True)
    answer = client.post(LOGOUT)
    assert answer.status == 200
    assert set(answer.json) == {"message", "audit_warning"}
    assert service.sessions()[-1]["logouts"] == 0
    assert log_in(Client(service), *service.VIEWER).status == 200
    assert events(service) == [("login", "")]


@pytest.fixture
def row(service: StandIn, client: Client, request: pytest.FixtureRequest) -> Client:
    """A client in the state that a row of the table names."""
    if request.param == "missing":
        client.token = ""
    elif request.param == "invalid":
        client.token = client.token[:-6] + "AAAAAA"
    elif request.param == "expired":
        service.settings(clock_offset=1801)
    elif request.param == "revoked":
        service.end_session(service.sessions()[-1]["id"])
    elif request.param == "database":
        service.settings(database_fails=True)
    return client


ROWS = ["", "missing", "invalid", "expired", "revoked", "database"]


@pytest.mark.parametrize("row", ROWS, indirect=True, ids=lambda name: name or "valid")
def test_rows_of_the_new_generation(
    service: StandIn, row: Client, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["row"]
    answer = row.post(LOGOUT)
    assert answer.status == 200
    assert answer.json["message"] == DONE["message"]
    assert ("audit_warning" in answer.json) == (name == "database")
    if name != "database":
        assert events(service)[1:] == [("logout", name)]


@pytest.mark.parametrize("refusal", [401, 403])
@pytest.mark.parametrize("row", ROWS, indirect=True, ids=lambda name: name or "valid")
def test_rows_of_the_old_generation(
    service: StandIn, row: Client, refusal: int, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.params["row"]
    service.settings(generation="old", old_refusal=str(refusal))
    answer = row.post(LOGOUT)
    assert answer.status == {"": 200, "database": 500}.get(name, refusal)
    assert events(service)[1:] == ([] if name else [("logout", "")])


def test_database_fails_and_comes_back(service: StandIn, client: Client) -> None:
    service.settings(database_fails=True, deny_list=True)
    assert client.get(ME).status == 500
    assert log_in(Client(service), *service.VIEWER).status == 500
    assert client.post(LOGOUT).status == 200
    service.settings(database_fails=False)
    assert client.get(ME).status == 200, "nothing was denied"
    assert service.sessions()[-1]["alive"]


# Behind the front


def test_faults_spoil_an_answer_that_ended_nothing(service: StandIn, client: Client) -> None:
    service.settings(deny_list=True)
    service.fault(LOGOUT, "with_status", times=1, code=500)
    assert client.post(LOGOUT).json == DONE
    assert client.get(ME).status == 200
    assert events(service) == [("login", "")]
    service.fault(LOGOUT, "ended_but_reset", times=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        client.post(LOGOUT)
    assert client.get(ME).status == 401
    assert service.sessions()[-1]["logouts"] == 1
    answers = [one["answer"] for one in service.journal(LOGOUT)]
    assert answers == ["with_status", "ended_but_reset"]


def test_state_outlives_stop_and_kill(tmp_path: Path) -> None:
    with StandIn("jwt-audit", tmp_path) as server:
        server.add_user("third@example.com", "pass", id="7")
        server.settings(deny_list=True)
        gone, stays = Client(server), Client(server)
        assert log_in(gone, "third@example.com", "pass").json["user"]["id"] == "7"
        log_in(stays, *server.VIEWER)
        gone.post(LOGOUT)
        server.kill()
        server.start()
        assert (gone.get(ME).status, stays.get(ME).status) == (401, 200)
        server.restart()
        assert stays.post(LOGOUT).json == DONE
        assert stays.get(ME).status == 401
        assert [one["logouts"] for one in server.sessions()] == [1, 1]
        server.settings(deny_list=False)
        log_in(stays, *server.VIEWER)
        server.reset()
        assert stays.get(ME).status == 401, "of a test before"
        assert server.sessions() == events(server) == []


def test_passwords_are_not_in_the_files(service: StandIn, client: Client) -> None:
    log_in(client, service.VIEWER[0], "a wrong one")
    texts = [one.read_bytes() for one in service.directory.glob("*.sqlite3")]
    assert len(texts) == 2
    for secret in (*service.VIEWER[1:], service.NON_ASCII[1], "a wrong one", client.token):
        assert not any(secret.encode() in text for text in texts)
