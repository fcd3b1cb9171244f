"""Trakt: rotating tokens, and a revocation that says 200 whatever it was given."""

from __future__ import annotations

from tests.python.services.case import Case
from tests.python.services.journey import Renewing


class TestTrakt(Renewing):
    case = Case(
        "trakt",
        "https://api.trakt.tv/users/settings",
        renews=True,
        denial="denied",
        settings={"device_interval": 1},
    )
    token_path = "/oauth/token"
    poll_path = "/oauth/device/token"
    lapse = 8 * 24 * 3600
