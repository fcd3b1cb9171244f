"""What the story needs to know of each service: the table that `make run` goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Service:
    provider: str
    name: str
    # The arguments of `sessionkeeper request` for something that only the account may see.
    ask: tuple[str, ...]
    # The paths of a logout's requests, each as often as it is asked, without the probe.
    ways_out: tuple[str, ...]
    # Not the command line asks, but an add-on with session.headers.
    asked_by_addon: bool = False
    # Cookies that the server accepts for themselves, while the session lives.
    cookies: tuple[str, ...] = ()
    # The path that a renewal goes to, and the setting that says how long an access lasts.
    renewal: str = ""
    access_lifetime: str = ""
    # The viewer enters a code elsewhere.
    with_code: bool = False
    # The package of the stand-in, where it is not named as the provider is.
    stand_in: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    # Functions of chapters.py; the audit trail comes last everywhere.
    chapters: tuple[str, ...] = ("with_the_network", "without_the_network")


_APP = "https://app.workos-demo.example"

SERVICES = {
    service.provider: service
    for service in (
        Service(
            provider="angel",
            name="Angel Studios",
            ask=(
                *("POST", "https://api.angelstudios.com/graphql"),
                *("--data", '{"query": "{ me { email } }"}'),
                *("--header", "Content-Type: application/json"),
            ),
            ways_out=("/logout",),
            cookies=("angel_jwt_v2", "_ellis_island_web_user_remember_me"),
            renewal="/auth/login",
            access_lifetime="jwt_lifetime",
        ),
        Service(
            provider="workos",
            name="WorkOS and an application",
            ask=("GET", f"{_APP}/api/me/"),
            ways_out=("/api/logout/", "/user_management/sessions/logout"),
            cookies=("wos_session",),
            renewal="/api/refresh/",
            access_lifetime="access_lifetime",
        ),
        Service(
            provider="workos-device",
            name="WorkOS",
            # WorkOS has nothing for its tokens; they are for the application of whoever asks.
            ask=("GET", f"{_APP}/api/me/"),
            asked_by_addon=True,
            ways_out=("/user_management/sessions/logout",),
            renewal="/user_management/authenticate",
            access_lifetime="access_lifetime",
            with_code=True,
            stand_in="workos",
            settings={"device_interval": 1},
        ),
        Service(
            provider="jwt-audit",
            name="a service of stateless tokens",
            ask=("GET", "https://api.jwt-audit-demo.example/auth/me"),
            ways_out=("/auth/logout",),
            chapters=("without_a_proof", "with_a_deny_list", "without_the_network"),
        ),
        Service(
            provider="linxup",
            name="a storefront and its auth API",
            ask=("GET", "https://shop.linxup-demo.example/shop/api/linxup/account"),
            ways_out=("/shop/api/linxup/auth/logout",),
            cookies=("access_token", "refresh_token"),
            renewal="/shop/api/linxup/auth/refresh",
            access_lifetime="access_lifetime",
            chapters=("with_the_network", "without_the_network", "with_a_cart"),
        ),
        Service(
            provider="idempotent",
            name="a service whose logout always answers 200",
            ask=("GET", "https://api.idempotent-demo.example/api/auth/me"),
            ways_out=("/api/auth/logout",),
            cookies=("refresh_token",),
            renewal="/api/auth/refresh",
            access_lifetime="token_lifetime",
            chapters=("with_the_network", "without_the_network", "everywhere"),
        ),
        Service(
            provider="oidc",
            name="an OpenID Connect issuer (npm's oidc-provider)",
            ask=("GET", "https://op.oidc-demo.example/me"),
            # The refresh token, and the access token.
            ways_out=("/token/revocation", "/token/revocation", "/session/end"),
            renewal="/token",
            access_lifetime="access_lifetime",
            with_code=True,
            settings={"device_interval": 1},
        ),
    )
}
