"""The stand-in with stateless JWTs and an audit log: does it do what such a service does?"""

from __future__ import annotations

import base64
import json
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
    return client.submit(LOGIN, {"username": email, "password": password})


def events(server: StandIn) -> list[tuple[str, str]]:
    return [(one["event"], one["detail"]) for one in audit_log(server.directory)]


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


# Login


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


# Behind the front
