"""The front of the stand-ins, with its example behind it: what every service may count on."""

from __future__ import annotations

import http.client
import json
from typing import Any, Callable

import pytest

from tests.servers.browser import dial, read_all
from tests.servers.fixture import StandIn

HOST = "api.example-demo.example"


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("front.example").reset()


def ask(
    server: StandIn, method: str, path: str, body: str = "", host: str = HOST, **headers: str
) -> tuple[int, Any]:
    """Status and JSON; header names with _ for -."""
    lines = {"Host": host, "Connection": "close", "Content-Length": str(len(body.encode()))}
    lines.update({name.replace("_", "-"): value for name, value in headers.items()})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with dial(server, host.partition(":")[0]) as tls:
        tls.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode())
        answer = http.client.HTTPResponse(tls)
        answer.begin()
        text = answer.read().decode()
    return answer.status, json.loads(text) if text.startswith("{") else text


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> str:
    body = json.dumps({"email": who[0], "password": who[1]})
    status, answer = ask(server, "POST", "/login", body)
    assert status == 200
    token: str = answer["token"]
    return token


def test_the_ready_line_says_where(server: StandIn) -> None:
    assert server.parameters == {"base": f"https://{HOST}"}
    assert server.resolve == [f"{HOST}:{server.port}:127.0.0.1"]


# Journal


@pytest.mark.parametrize(
    ("body", "cookie", "seen"),
    [
        ("grant_type=refresh_token&refresh_token=rt-1", "", (True, "refresh_token", False)),
        ('{"grant_type": "password", "password": "rt-1"}', "", (False, "password", True)),
        ('{"refresh_token": "rt-1"}', "", (True, "", False)),
        ("token=rt-1&token_type_hint=refresh_token", "", (False, "", False)),
        ("", "refresh_token=rt-1", (True, "", False)),
        ('["refresh_token", 1]', "", (False, "", False)),
    ],
)
def test_the_journal_names_credentials_and_keeps_none(
    server: StandIn, body: str, cookie: str, seen: tuple[Any, ...]
) -> None:
    ask(server, "POST", "/token", body, Cookie=cookie)
    (entry,) = server.journal("/token")
    assert (entry["has_refresh_token"], entry["grant_type"], entry["has_password"]) == seen
    assert "rt-1" not in json.dumps(entry)


# What goes where


def test_only_the_front_may_forward_and_mark(server: StandIn) -> None:
    token = log_in(server)
    forged = {"X_Stand_In_Dry_Run": "1", "X_Forwarded_Host": "evil.example"}
    ask(server, "POST", "/logout", Authorization=f"Bearer {token}", **forged)
    assert not server.sessions()[0]["alive"]


def test_hosts_that_are_not_the_services(server: StandIn) -> None:
    assert ask(server, "GET", "/me", host="other.example")[0] == 421
    assert ask(server, "GET", "/me", host=f"{HOST}:443")[0] == 401
    server.settings(down=True)
    assert ask(server, "GET", "/me")[0] == 502
    assert [one["answer"] for one in server.journal()] == [421, 401, 502]


# Settings


def test_settings_change_together_or_not_at_all(server: StandIn) -> None:
    usual = server.settings()
    assert usual == {
        "token_lifetime": 3600,
        "clock_offset": 0,
        "down": False,
        "listening": True,
        "tls": "",
    }
    for wrong in ({"down": True, "tls": "sometimes"}, {"tls": "expired", "down": "yes"}):
        with pytest.raises(ValueError, match="takes"):
            server.settings(**wrong)
    assert server.settings() == usual


def test_no_approval_where_there_is_no_device_login(server: StandIn) -> None:
    with pytest.raises(ValueError, match="404"):
        server.approve("AB-CD")


def test_no_connection_outlives_the_process(server: StandIn) -> None:
    server.fault("/me", "hang")
    with dial(server, HOST) as tls:
        tls.sendall(f"GET /me HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        server.restart()
        assert read_all(tls, 2) == b""
