"""python-plexapi, unchanged, against the stand-in for plex.tv."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("plex").reset()


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("way", ["pin", "oauth", "password"])
def test_it_signs_in_and_out(server: StandIn, who: tuple[str, str], way: str) -> None:
    told = run("plex", server, server.control, *who, way)
    assert told.pop("early", False) is False
    token = told.pop("token")
    assert told == {
        "email": who[0],
        "pong": True,
        "devices": [False, True],
        "other": False,
        "after": False,
    }
    assert not server.check(jwt=token)
    ended = [one["ended_by"] for one in server.sessions()]
    assert ended == ["logout", "its device was removed"]
    assert server.journal("/api/v2/users/signout")[0]["answer"] == 204
