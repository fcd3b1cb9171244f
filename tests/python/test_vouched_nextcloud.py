"""nc_py_api, unchanged, works against Nextcloud's stand-in."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.mark.parametrize("plain", [False, True], ids=["https", "http"])
def test_nc_py_api(stand_in: Callable[[str], StandIn], plain: bool) -> None:
    server = stand_in("nextcloud").reset()
    server.settings(plain_http=plain)
    base = server.parameters["base"]
    told = run("nextcloud", server, base, server.control, *StandIn.VIEWER)
    (viewer,) = [one for one in server.users() if one["email"] == StandIn.VIEWER[0]]
    assert told == {
        "server": base,
        "id": viewer["id"],
        "email": StandIn.VIEWER[0],
        "major": 31,
        "deleted": [],
        "after": 401,
    }
    assert base.partition("://")[0] == ("http" if plain else "https")
    answers = [one["answer"] for one in server.journal("/index.php/login/v2/poll")]
    assert (answers[0], answers[-1]) == (404, 200)
    (session,) = server.sessions()
    assert (session["name"], session["alive"]) == ("Some program", False)
