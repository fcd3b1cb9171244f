"""twitchAPI works with the stand-in for Twitch as it is."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("twitch").reset()


def test_twitchapi_logs_in_renews_and_revokes(server: StandIn) -> None:
    told = run("twitch", server, server.control, server.parameters["client_id"], *server.NON_ASCII)
    assert told["waited"]
    assert told["url"].endswith(f"device-code={told['code']}")
    assert told["me"] == ["例え", server.NON_ASCII[0]]
    assert told["scopes"] == ["user:read:email"]
    assert told["renewed"]
    assert told["revoked"] == [True, False]
    assert told["dead"] == [401, "invalid access token"]
    assert told["reused"] == "Invalid refresh token"
    assert told["killed"] == 401
    polls = [one for one in server.journal("/oauth2/token") if one["answer"] == 400]
    assert polls, "it waited for the user"
    assert [one["ended_by"] for one in server.sessions()] == ["reuse"]
