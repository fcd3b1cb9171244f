"""A service that people have: what a test has to know of it, beside its provider file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

from tests.servers.fixture import StandIn

PASSWORD, CODE, BROWSER = "password", "device_code", "authorization_code"


@dataclass(frozen=True)
class Case:
    """`me` is an address that only the account may ask, {NAME} standing for the stand-in's
    parameters; `outcome` what a logout comes to at best, by the service's documentation."""

    provider: str
    me: str
    ways: tuple[str, ...] = (CODE,)
    # The stand-in, where it is not named as the provider is.
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
    # The old credential goes on for a while after a logout, though what renews it is dead.
    lingers: bool = False
    # What a logout everywhere comes to, where there is one.
    everywhere: str = ""
    # One logout ends every session of the account.
    ends_all: bool = False
    # A user who says no is told to the client: by "denied", or not at all.
    denial: str = ""
    # Whether the server tells a code that is over from one that is waited for.
    tells_expiry: bool = True
    # Of the stand-in, so that nobody waits long for a code.
    settings: Mapping[str, Any] = field(default_factory=dict)
    # Of the provider file, for the same: what stands there, and what a test has instead.
    hurry: Mapping[str, str] = field(default_factory=dict)
    # A person in front of the service's pages: from an address to where the browser is led.
    browse: Callable[[StandIn, str, tuple[str, str]], str] = lambda server, url, who: (
        server.authorize(url, *who)
    )
    viewer: tuple[str, str] = StandIn.VIEWER
    other: tuple[str, str] = StandIn.NON_ASCII

    @property
    def server(self) -> str:
        return self.stand_in or self.provider
