"""simkl-mps, a scrobbler on PyPI, logs in to the stand-in for Simkl as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("simkl").reset()


def test_simkl_mps_logs_in(server: StandIn, tmp_path: Path) -> None:
    server.settings(device_interval=2)
    client_id = server.parameters["client_id"]
    told = run("simkl", server, server.control, client_id, *server.NON_ASCII, str(tmp_path))
    known = next(user for user in server.users() if user["email"] == server.NON_ASCII[0])
    assert (told["id"], told["name"]) == (int(known["id"]), "例え")
    assert server.check(jwt=told["token"])
    assert told["dead"] is None
    answers = [one["answer"] for one in server.journal("/users/settings")]
    assert (answers[0], answers[-1]) == (200, 401)
    assert len([one for one in server.journal() if one["path"].startswith("/oauth/pin/")]) >= 2
