"""pyrd, and the flow as its documentation tells it, work against Real-Debrid's stand-in."""

from __future__ import annotations

from typing import Callable

from tests.clients.run import run
from tests.servers.fixture import StandIn


def test_pyrd(stand_in: Callable[[str], StandIn]) -> None:
    server = stand_in("real-debrid").reset()
    server.settings(interval=1)
    told = run("real_debrid", server, server.control, *StandIn.VIEWER)
    assert told["polls"] == [403, 200]
    for used in (told["first"], told["renewed"]):
        assert (used["me"], used["disabled"]) == (StandIn.VIEWER[0], 204)
        assert "401" in used["after"]
    (session,) = server.sessions()
    assert (session["disabled"], session["renewals"], session["alive"]) == (2, 1, True)
