"""Where the Jellyfin server is: at home in the clear, or beneath a path of its host."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.servers.exchange import exchange
from tests.servers.fixture import StandIn
from tests.servers.jellyfin.client import BASE, ask, log_in


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("jellyfin").reset()


def test_in_the_clear_where_that_is_asked_for(server: StandIn) -> None:
    plain = f"http://jellyfin.home-demo.example:{server.port}"
    assert server.parameters == {"base": BASE}
    assert exchange(server, "GET", f"{plain}/System/Info/Public").status == 421
    server.settings(plain_http=True)
    assert server.parameters == {"base": plain}
    assert exchange(server, "GET", f"{plain}/System/Info/Public").status == 200
    assert exchange(server, "GET", "http://jellyfin.home-demo.example/").status == 421
    assert exchange(server, "GET", f"http://other.example:{server.port}/").status == 421
    token = log_in(server)
    assert exchange(server, "GET", f"{plain}/Users/Me?ApiKey={token}").status == 200
    assert [one["scheme"] for one in server.journal("/Users/Me")] == ["http"]
    server.restart()
    assert server.parameters == {"base": plain}
    server.settings(base_path="/jellyfin")
    assert server.parameters == {"base": f"{plain}/jellyfin"}
    assert server.reset().parameters == {"base": BASE}


def test_beneath_a_path(server: StandIn) -> None:
    token = log_in(server)
    server.settings(base_path="/jellyfin")
    assert server.parameters == {"base": f"{BASE}/jellyfin"}
    assert ask(server, "GET", "/Jellyfin/Users/Me", token).status == 200
    for path in ("/Users/Me", "/jellyfinger/Users/Me"):
        moved = ask(server, "GET", path, token)
        assert (moved.status, moved.headers["location"]) == (302, "/jellyfin/web/")
