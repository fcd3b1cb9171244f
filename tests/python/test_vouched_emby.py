"""Emby's own SDK, and a program that many use, unchanged, against the stand-in."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("emby").reset()


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("empty", [200, 204])
def test_the_sdk_signs_in_and_out(server: StandIn, who: tuple[str, str], empty: int) -> None:
    server.settings(empty_status=empty)
    told = run("emby_sdk", server, server.parameters["base"], *who)
    token = told.pop("token")
    assert told == {
        "name": who[0],
        "devices": ["vouching-device"],
        "system": "4.9.0.33",
        "all_devices": 401,
        "after": 401,
    }
    _signed_out(server, token, who[0])


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("users_me", [False, True])
def test_the_program_signs_in_and_out(
    server: StandIn, who: tuple[str, str], users_me: bool
) -> None:
    server.settings(users_me=users_me)
    told = run("emby", server, server.parameters["base"], *who)
    token = told.pop("token")
    assert told == {
        "name": who[0],
        "me": who[0],
        "system": "4.9.0.33",
        "after": "AuthenticationError",
    }
    _signed_out(server, token, who[0])


@pytest.mark.parametrize("script", ["emby", "emby_sdk"])
def test_a_wrong_password(server: StandIn, script: str) -> None:
    base = server.parameters["base"]
    assert run(script, server, base, server.VIEWER[0], "wrong") == {"refused": 401}


def test_in_the_clear(server: StandIn) -> None:
    server.settings(plain_http=True)
    told = run("emby", server, server.parameters["base"], *server.VIEWER)
    assert told["after"] == "AuthenticationError"
    assert {one["scheme"] for one in server.journal()} == {"http"}


def _signed_out(server: StandIn, token: str, email: str) -> None:
    assert not server.check(jwt=token)
    (session,) = server.sessions()
    assert (session["email"], session["ended_by"]) == (email, "logout")
    assert server.journal("/emby/Sessions/Logout")[0]["session"] == session["id"]
