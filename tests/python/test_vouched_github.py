"""requests-oauthlib and PyGithub, unchanged, work against GitHub's stand-in."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn
from tests.servers.github import CLIENT_ID, CLIENT_SECRET

DEAD = "401 Bad credentials"


@pytest.mark.parametrize("app", ["oauth_app", "github_app"])
def test_pygithub(stand_in: Callable[[str], StandIn], app: str) -> None:
    server = stand_in("github").reset()
    server.settings(app=app, interval=1)
    name = StandIn.VIEWER[0]
    told = run("github", server, CLIENT_ID, CLIENT_SECRET, server.control, *StandIn.VIEWER)
    expected = {"errors": ["authorization_pending"], "revoked": 202, "after": DEAD}
    expected["first"] = name if app == "oauth_app" else "None"
    if app == "github_app":
        expected.update(before=DEAD, again="bad_refresh_token", renewed="None")
    assert told == expected
    assert [one["alive"] for one in server.sessions()] == [False]
