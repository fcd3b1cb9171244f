"""The services that people have: what a test has to know of each, beside its provider file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

PASSWORD, CODE = "password", "device_code"


@dataclass(frozen=True)
class Case:
    """`me` is an address that only the account may ask, {base} standing for the service's own;
    `outcome` what a logout can come to at best by the service's documentation."""

    provider: str
    me: str
    ways: tuple[str, ...] = (CODE,)
    # The package of the stand-in, where it is not named as the provider is.
    stand_in: str = ""
    method: str = "GET"
    # What a request with a dead credential is answered with.
    refused: int = 401
    renews: bool = False
    # False: a refresh token may be used again and again.
    rotates: bool = True
    outcome: str = "revoked"
    # After a logout the old credential is still accepted, and only the viewer can end it.
    lives_on: bool = False
    # Ended by somebody else: what a logout then finds.
    ended: str = "already_ended"
    everywhere: str = ""
    # Of the stand-in, so that nobody waits long for a code.
    settings: Mapping[str, Any] = field(default_factory=dict)
    # What cannot be installed here is left out.
    needs: str = ""

    @property
    def server(self) -> str:
        return self.stand_in or self.provider


CASES = (
    Case("jellyfin", "{base}/Users/Me", (CODE, PASSWORD)),
    Case("emby", "{base}/emby/System/Info", (PASSWORD,)),
    Case("plex", "https://plex.tv/api/v2/user"),
    Case(
        "trakt",
        "https://api.trakt.tv/users/settings",
        renews=True,
        settings={"device_interval": 1},
    ),
    Case(
        "youtube",
        "https://www.googleapis.com/youtube/v3/channels?part=snippet&mine=true",
        renews=True,
        rotates=False,
        everywhere="revoked",
        settings={"device_interval": 1},
    ),
    Case(
        "twitch",
        "https://api.twitch.tv/helix/users",
        renews=True,
        outcome="unconfirmed",
        settings={"device_interval": 1},
    ),
    Case(
        "real-debrid",
        "https://api.real-debrid.com/rest/1.0/user",
        renews=True,
        rotates=False,
        outcome="unconfirmed",
        settings={"interval": 1},
    ),
    Case(
        "simkl",
        "https://api.simkl.com/users/settings",
        method="POST",
        outcome="unconfirmed",
        lives_on=True,
        settings={"device_interval": 1},
    ),
    Case("github", "https://api.github.com/user", settings={"interval": 1}),
    Case("nextcloud", "{base}/ocs/v2.php/cloud/user?format=json"),
    Case(
        "matrix",
        "{base}/_matrix/client/v3/account/whoami",
        (PASSWORD,),
        stand_in="synapse",
        renews=True,
        everywhere="revoked",
        needs="synapse",
    ),
    Case("auth0", "{base}/userinfo", (PASSWORD,), renews=True),
)
