"""Real-Debrid: a client for each viewer; the access token ends, and what renews it goes on."""

from __future__ import annotations

from tests.python.services.case import Case
from tests.python.services.journey import Renewing


class TestRealDebrid(Renewing):
    case = Case(
        "real-debrid",
        "https://api.real-debrid.com/rest/1.0/user",
        renews=True,
        rotates=False,
        outcome="unconfirmed",
        settings={"interval": 1},
    )
    token_path = "/oauth/v2/token"
    poll_path = "/oauth/v2/device/credentials"
    lifetime = "code_lifetime"
