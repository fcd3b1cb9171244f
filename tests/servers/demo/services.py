"""What the story needs to know of each service: the table that `make run` goes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.servers.fixture import StandIn
from tests.servers.oidc import install as oidc
from tests.servers.synapse import install as synapse


@dataclass(frozen=True)
class Service:
    provider: str
    name: str
    # Something that only the account may see; with `data` it is asked for by POST.
    url: str
    # The paths of a logout's requests, each as often as it is asked, without the probe; none where
    # the service has no way out.
    ways_out: tuple[str, ...]
    data: str = ""
    # Not the command line asks, but an add-on with session.headers.
    asked_by_addon: bool = False
    # How the viewer logs in: with a "password"; or elsewhere, with a "code", by an "address", or by
    # one whose "browser" brings back another.
    way: str = "password"
    username: str = StandIn.VIEWER[0]
    # How many seconds its file has between two questions whether the viewer is done; here it is 1.
    # Not where the server says it: there it is in `settings`.
    interval: int = 0
    # Cookies that the server accepts for themselves, while the session lives.
    cookies: tuple[str, ...] = ()
    # The path that a renewal goes to, and the setting that says how long an access lasts.
    renewal: str = ""
    access_lifetime: str = ""
    # What a logout does not end, by the service's documentation: the "token", until its time is
    # over, or the "session", which then nobody may call revoked.
    lives_on: tuple[str, ...] = ()
    # The package of the stand-in, where it is not named as the provider is.
    stand_in: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    # Functions of chapters.py; the audit trail comes last everywhere.
    chapters: tuple[str, ...] = ("with_the_network", "without_the_network")
    # What this machine lacks for the stand-in, or nothing.
    lack: Callable[[], str] = str

    @property
    def ask(self) -> tuple[str, ...]:
        """The arguments of `sessionkeeper request`."""
        if not self.data:
            return ("GET", self.url)
        typed = ("--header", "Content-Type: application/json")
        return ("POST", self.url, "--data", self.data, *typed)


def _lack_of_oidc() -> str:
    try:
        oidc.install()
    except oidc.NotInstalled as error:
        return str(error)
    return ""


_APP = "https://app.workos-demo.example"

SERVICES = {
    service.provider: service
    for service in (
        Service(
            provider="angel",
            name="Angel Studios",
            url="https://api.angelstudios.com/graphql",
            data='{"query": "{ me { email } }"}',
            ways_out=("/logout",),
            cookies=("angel_jwt_v2", "_ellis_island_web_user_remember_me"),
            renewal="/auth/login",
            access_lifetime="jwt_lifetime",
        ),
        Service(
            provider="jellyfin",
            name="a Jellyfin server at home",
            url="https://jellyfin.home-demo.example/Users/Me",
            ways_out=("/Sessions/Logout",),
            way="code",
            interval=5,
        ),
        Service(
            provider="emby",
            name="an Emby server at home",
            url="https://emby.home-demo.example/emby/Users/Me",
            ways_out=("/emby/Sessions/Logout",),
            settings={"users_me": True},
        ),
        Service(
            provider="plex",
            name="Plex",
            url="https://plex.tv/api/v2/user",
            ways_out=("/api/v2/users/signout",),
            way="code",
            interval=2,
        ),
        Service(
            provider="trakt",
            name="Trakt",
            url="https://api.trakt.tv/users/settings",
            ways_out=("/oauth/revoke",),
            renewal="/oauth/token",
            access_lifetime="access_lifetime",
            way="code",
            settings={"device_interval": 1},
            chapters=("with_the_network",),
        ),
        Service(
            provider="youtube",
            name="YouTube",
            url="https://www.googleapis.com/youtube/v3/channels?part=snippet&mine=true",
            ways_out=("/revoke",),
            renewal="/token",
            access_lifetime="access_lifetime",
            way="code",
            settings={"device_interval": 1},
            chapters=("with_the_network",),
        ),
        Service(
            provider="twitch",
            name="Twitch",
            url="https://api.twitch.tv/helix/users",
            ways_out=("/oauth2/revoke",),
            way="code",
            lives_on=("session",),
            settings={"device_interval": 1},
        ),
        Service(
            provider="real-debrid",
            name="Real-Debrid",
            url="https://api.real-debrid.com/rest/1.0/user",
            ways_out=("/rest/1.0/disable_access_token",),
            renewal="/oauth/v2/token",
            access_lifetime="token_lifetime",
            way="code",
            lives_on=("session",),
            settings={"interval": 1},
            chapters=("with_the_network",),
        ),
        Service(
            provider="simkl",
            name="Simkl",
            url="https://api.simkl.com/users/settings",
            data="{}",
            ways_out=(),
            way="code",
            lives_on=("token", "session"),
            settings={"device_interval": 1},
            chapters=("with_the_network",),
        ),
        Service(
            provider="github",
            name="GitHub",
            url="https://api.github.com/user",
            ways_out=("/credentials/revoke",),
            way="code",
            settings={"interval": 1},
        ),
        Service(
            provider="nextcloud",
            name="a Nextcloud at home",
            url="https://cloud.home-demo.example/ocs/v2.php/cloud/user?format=json",
            ways_out=("/ocs/v2.php/core/apppassword",),
            way="address",
            interval=3,
        ),
        Service(
            provider="matrix",
            name="a Matrix homeserver (the real Synapse)",
            url="https://matrix.home-demo.example/_matrix/client/v3/account/whoami",
            ways_out=("/_matrix/client/v3/logout",),
            username="viewer",
            stand_in="synapse",
            lack=synapse.missing,
            chapters=("with_the_network",),
        ),
        Service(
            provider="auth0",
            name="a tenant of Auth0",
            url="https://login.auth0-demo.example/userinfo",
            ways_out=("/oauth/revoke",),
            renewal="/oauth/token",
            access_lifetime="token_lifetime",
            way="browser",
            lives_on=("token",),
            chapters=("with_the_network",),
        ),
        Service(
            provider="workos",
            name="WorkOS and an application",
            url=f"{_APP}/api/me/",
            ways_out=("/api/logout/", "/user_management/sessions/logout"),
            cookies=("wos_session",),
            renewal="/api/refresh/",
            access_lifetime="access_lifetime",
        ),
        Service(
            provider="workos-device",
            name="WorkOS",
            # WorkOS has nothing for its tokens; they are for the application of whoever asks.
            url=f"{_APP}/api/me/",
            asked_by_addon=True,
            ways_out=("/user_management/sessions/logout",),
            renewal="/user_management/authenticate",
            access_lifetime="access_lifetime",
            way="code",
            stand_in="workos",
            settings={"device_interval": 1},
        ),
        Service(
            provider="jwt-audit",
            name="a service of stateless tokens",
            url="https://api.jwt-audit-demo.example/auth/me",
            ways_out=("/auth/logout",),
            chapters=("without_a_proof", "with_a_deny_list", "without_the_network"),
        ),
        Service(
            provider="linxup",
            name="a storefront and its auth API",
            url="https://shop.linxup-demo.example/shop/api/linxup/account",
            ways_out=("/shop/api/linxup/auth/logout",),
            cookies=("access_token", "refresh_token"),
            renewal="/shop/api/linxup/auth/refresh",
            access_lifetime="access_lifetime",
            chapters=("with_the_network", "without_the_network", "with_a_cart"),
        ),
        Service(
            provider="idempotent",
            name="a service whose logout always answers 200",
            url="https://api.idempotent-demo.example/api/auth/me",
            ways_out=("/api/auth/logout",),
            cookies=("refresh_token",),
            renewal="/api/auth/refresh",
            access_lifetime="token_lifetime",
            chapters=("with_the_network", "without_the_network", "everywhere"),
        ),
        Service(
            provider="oidc",
            name="an OpenID Connect issuer (npm's oidc-provider)",
            url="https://op.oidc-demo.example/me",
            # The refresh token, and the access token.
            ways_out=("/token/revocation", "/token/revocation", "/session/end"),
            renewal="/token",
            access_lifetime="access_lifetime",
            way="code",
            settings={"device_interval": 1},
            lack=_lack_of_oidc,
        ),
    )
}
