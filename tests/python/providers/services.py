"""The services behind the providers, as their tests see them: where things are, what is held.

A stand-in is asked in two ways: by its control interface, which changes nothing, and by requests of
a client of the standard library that has what somebody copied before the logout.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

import sessionkeeper
from tests.servers.client import Client
from tests.servers.fixture import StandIn

OpenKeeper = Callable[..., sessionkeeper.Keeper]


@dataclass(frozen=True)
class Service:
    """`probe` is where it is asked whether a session is dead. After `lapse` seconds the access is
    over, and what renews it is not. `others` are hosts besides that of the address."""

    id: str
    login: str
    me: str
    logout: str
    renew: str
    probe: str
    lapse: int
    cookies: tuple[str, ...]
    # The login is FastAPI's own form, and not JSON.
    takes_form: bool = False
    # Of the stand-in: with them, its answers can prove a logout.
    settings: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    @property
    def renews(self) -> bool:
        return bool(self.renew)


JWT_AUDIT = Service(
    id="jwt-audit",
    login="/auth/login",
    me="/auth/me",
    logout="/auth/logout",
    renew="",
    probe="/auth/me",
    lapse=1800,
    cookies=(),
    takes_form=True,
    settings={"deny_list": True},
)
IDEMPOTENT = Service(
    id="idempotent",
    login="/api/auth/login",
    me="/api/auth/me",
    logout="/api/auth/logout",
    renew="/api/auth/refresh",
    probe="/api/auth/me",
    lapse=900,
    cookies=("refresh_token",),
    takes_form=True,
)
LINXUP = Service(
    id="linxup",
    login="/shop/api/linxup/auth/login",
    me="/shop/api/linxup/account",
    logout="/shop/api/linxup/auth/logout",
    renew="/shop/api/linxup/auth/refresh",
    probe="",
    lapse=3600,
    cookies=("access_token", "bc_customer_id", "person_id", "refresh_token"),
)
WORKOS = Service(
    id="workos",
    login="/api/login/",
    me="/api/me/",
    logout="/api/logout/",
    renew="/api/refresh/",
    probe="/api/refresh/",
    lapse=300,
    cookies=("wos_session",),
    others=("api.workos.com",),
)
ALL = (JWT_AUDIT, IDEMPOTENT, LINXUP, WORKOS)
RENEWING = tuple(one for one in ALL if one.renews)


def base(server: StandIn) -> str:
    return server.parameters["base"]


def hosts_of(server: StandIn, service: Service) -> list[str]:
    """Those that the provider may ask, that of the address first."""
    return [base(server).partition("//")[2], *service.others]


def me(server: StandIn, service: Service, session: sessionkeeper.Session) -> str:
    """The e-mail address of whose name a request is in."""
    answer = session.get(base(server) + service.me)
    answer.raise_for_status()
    return email(answer.json())


def email(body: dict[str, Any]) -> str:
    """Of the answer to such a request."""
    found: str = body.get("person", body)["email"]
    return found


class Copied:
    """The credentials of a session, copied before its end."""

    def __init__(self, server: StandIn, service: Service, keeper: sessionkeeper.Keeper) -> None:
        # Also of one whose access has ended by now.
        session = sessionkeeper.Session(keeper.status(), keeper._run)
        self._server = server
        self._service = service
        self.token = session.headers.get("Authorization", "").partition(" ")[2]
        self.cookies = session.cookies
        assert set(self.cookies) == set(service.cookies)

    @property
    def known(self) -> list[dict[str, Any]]:
        """What of it control can be asked about."""
        given: list[dict[str, Any]] = []
        given += [{"jwt": self.token}] if self.token else []
        given += [{"cookies": self.cookies}] if self.cookies else []
        return given

    def assert_accepted(self) -> None:
        for given in self.known:
            assert self._server.check(**given), list(given)
        assert self._ask("GET", self._service.me) == 200

    def assert_refused(self) -> None:
        """Nobody gets in with it, and nobody gets anything new for it."""
        for given in self.known:
            assert not self._server.check(**given), list(given)
        assert self._ask("GET", self._service.me) == 401
        if self._service.renews:
            assert self._ask("POST", self._service.renew) == 401

    def _ask(self, method: str, path: str) -> int:
        client = Client(self._server, self.token, self.cookies)
        return (client.get(path) if method == "GET" else client.post(path)).status


def alive(server: StandIn) -> list[bool]:
    """Of each session, oldest first, whether it lives."""
    return [one["alive"] for one in server.sessions()]


def forget_sessions(server: StandIn) -> None:
    """The server knows nobody any more, and its tokens are signed with another key."""
    server._ask("DELETE", "/sessions")


def assert_signed_out(keeper: sessionkeeper.Keeper) -> None:
    status = keeper.status()
    assert (status.state, status.account, status.cookies) == ("signed_out", None, ())
    assert keeper.restore() is None


def audited(keeper: sessionkeeper.Keeper, event: str) -> list[str]:
    return [line.outcome for line in keeper.audit() if line.event == event]


def told(keeper: sessionkeeper.Keeper, after: int, event: str) -> list[str]:
    return [one.outcome for one in keeper.events(after) if one.event == event]


def now(keeper: sessionkeeper.Keeper) -> int:
    """The number of the newest event."""
    return keeper.newest_event()


def wait_until(at: float | None) -> None:
    """A moment longer, so that nobody's clock is before it."""
    assert at is not None
    time.sleep(max(0.0, at + 0.05 - time.time()))
