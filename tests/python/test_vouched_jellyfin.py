"""Jellyfin's own Python client, unchanged, against the stand-in."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("jellyfin").reset()


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("way", ["name", "quick"])
def test_it_signs_in_and_out(server: StandIn, who: tuple[str, str], way: str) -> None:
    control = [server.control] if way == "quick" else []
    told = run("jellyfin", server, server.parameters["base"], way, *control, *who)
    token = told.pop("token")
    assert told == {
        "state": "SignedIn",
        "name": who[0],
        "devices": ["Test bench"],
        "system": "12.1.0",
        "after": "Unauthorized",
    }
    assert not server.check(jwt=token)
    (session,) = server.sessions()
    assert (session["email"], session["ended_by"]) == (who[0], "logout")
    last = server.journal("/Sessions/Logout")[-1]
    assert (last["method"], last["answer"], last["session"]) == ("POST", 204, session["id"])


def test_it_signs_in_in_the_clear(server: StandIn) -> None:
    server.settings(plain_http=True)
    address = server.parameters["base"]
    assert run("jellyfin", server, address, "name", *server.VIEWER)["after"] == "Unauthorized"
    assert {one["scheme"] for one in server.journal()} == {"http"}


def test_a_wrong_password(server: StandIn) -> None:
    told = run("jellyfin", server, server.parameters["base"], "name", server.VIEWER[0], "wrong")
    assert told == {"state": "ServerSignIn", "answer": {}}


def test_quick_connect_that_is_off(server: StandIn) -> None:
    server.settings(quick_connect=False)
    told = run("jellyfin", server, server.parameters["base"], "quick", server.control, "x", "y")
    assert told["answer"] == {}
    assert server.journal("/QuickConnect/Initiate") == []
