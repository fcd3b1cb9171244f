"""YouTube: one revocation ends every login of the account with this client."""

from __future__ import annotations

from tests.python.services.case import Case
from tests.python.services.journey import Renewing


class TestYouTube(Renewing):
    case = Case(
        "youtube",
        "https://www.googleapis.com/youtube/v3/channels?part=snippet&mine=true",
        renews=True,
        rotates=False,
        ends_all=True,
        everywhere="revoked",
        denial="denied",
        settings={"device_interval": 1},
    )
    token_path = poll_path = "/token"
