"""Google's own libraries work with the stand-in for Google as they are."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("youtube").reset()


def test_googles_libraries_log_in_renew_and_revoke(server: StandIn) -> None:
    server.settings(device_interval=1)
    client = (server.parameters["client_id"], server.parameters["client_secret"])
    told = run("youtube", server, server.control, *client, *server.VIEWER)
    assert told["waited"] == ["authorization_pendingPrecondition Required", "slow_downForbidden"]
    assert told["url"] == "https://www.google.com/device"
    # As its users met it, in issue 750 of googleapis/oauth2client.
    assert told["by_get"] == "Invalid response 404."
    assert told["title"] == "Viewer"
    assert (told["renewed"], told["stays"]) == (True, True)
    assert told["revoked"] == {}
    assert "invalid_token" in told["twice"]
    assert told["dead"] == "invalid_grant: Token has been expired or revoked."
    assert [one["ended_by"] for one in server.sessions()] == ["revoked"]
