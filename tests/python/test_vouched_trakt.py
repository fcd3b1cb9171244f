"""PyTrakt works with the stand-in for Trakt as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("trakt").reset()


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_pytrakt_logs_in_renews_and_is_logged_out(
    server: StandIn, tmp_path: Path, who: tuple[str, str]
) -> None:
    server.settings(device_interval=1)
    client = (server.parameters["client_id"], server.parameters["client_secret"])
    told = run("trakt", server, server.control, *client, *who, str(tmp_path))
    assert told["waited"] == ["BadRequestException", "RateLimitException"]
    assert told["again"] == "ConflictException"
    assert told["lifetime"] == 7 * 24 * 3600
    assert told["who"] == [who[0].partition("@")[0]] * 2
    assert told["renewed"]
    assert told["revoked"] == {}
    assert told["dead"] == ["OAuthException", "invalid_grant: session not found"]
    assert not server.check(jwt=told["access"])
    assert not server.check(refresh_token=told["refresh"])
    assert [one["ended_by"] for one in server.sessions()] == ["revoked"]
    assert all(one["headers"]["user-agent"].startswith("python-req") for one in server.journal())
