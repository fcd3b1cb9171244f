"""auth0-python and Authlib, unchanged, work against Auth0's stand-in."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.clients.run import run
from tests.servers.fixture import StandIn


@pytest.mark.parametrize("pages", ["identifier_first", "combined"])
def test_auth0_python_and_authlib(stand_in: Callable[[str], StandIn], pages: str) -> None:
    server = stand_in("auth0").reset()
    server.settings(pages=pages)
    given = [server.parameters[name] for name in ("tenant", "client_id", "callback")]
    told = run("auth0", server, *given, *StandIn.VIEWER)
    name = StandIn.VIEWER[0]
    refused = [403, "invalid_grant", "Unknown or invalid refresh token."]
    assert told["auth0-python"] == {
        "email": name,
        "same person": name,
        "rotated": True,
        "revoked": "",
        "after": refused,
    }
    expected = {"email": name, "revoked": 200, "rotated": True, "after": "invalid_grant"}
    assert told["authlib"] == expected
    assert [one["ended_by"] for one in server.sessions()] == ["revocation", "revocation"]
