"""Twitch: the access token ends, and what renews it goes on."""

from __future__ import annotations

from tests.python.services.case import Case
from tests.python.services.journey import Renewing


class TestTwitch(Renewing):
    case = Case(
        "twitch",
        "https://api.twitch.tv/helix/users",
        renews=True,
        outcome="unconfirmed",
        settings={"device_interval": 1},
    )
    token_path = poll_path = "/oauth2/token"
