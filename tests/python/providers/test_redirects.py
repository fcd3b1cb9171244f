"""Cookies, tokens and passwords never leave the provider's hosts, wherever an answer points.

The other hosts lead to the stand-in as well, which would journal what came for them, be it only a
connection.
"""

from __future__ import annotations

import contextlib
import http.client

import pytest

import sessionkeeper
from tests.python.providers.services import (
    OpenKeeper,
    Service,
    alive,
    assert_signed_out,
    base,
    hosts_of,
    me,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
# {port} is the stand-in's own, which the front does not fill in.
LOCATIONS = {
    "evil_host": "https://evil.example/collect",
    "evil_port": "https://{host}:{port}{path}",
    "evil_http": "http://{host}:{port}{path}",
    "evil_subdomain": "https://{host}.evil.example{path}",
}
STATUSES = (302, 307)


@pytest.fixture(params=LOCATIONS)
def fault(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def hosts(server: StandIn, service: Service) -> list[str]:
    return hosts_of(server, service)


@pytest.fixture
def resolve(server: StandIn, hosts: list[str]) -> list[str]:
    """With it, the other hosts would be found."""
    return server.resolve_also("evil.example", *(f"{host}.evil.example" for host in hosts))


@pytest.fixture
def keeper(resolve: list[str], open_keeper: OpenKeeper) -> sessionkeeper.Keeper:
    return open_keeper(resolve=resolve)


def lure(server: StandIn, path: str, fault: str, status: int, times: int | None = None) -> None:
    location = LOCATIONS[fault].replace("{port}", str(server.port))
    server.fault(path, fault, times=times, status=status, location=location)


def assert_nothing_left(server: StandIn, hosts: list[str]) -> None:
    strangers = [
        (one["scheme"], one["host"], one["path"], one["cookies"], one["bearer"])
        for one in server.journal()
        if one["scheme"] != "https" or one["host"] not in hosts
    ]
    assert strangers == []
    assert server.connections() == []


def test_whoever_went_there_would_be_seen(
    server: StandIn, hosts: list[str], resolve: list[str], open_keeper: OpenKeeper
) -> None:
    evil = ["evil.example", f"{hosts[0]}:{server.port}", f"{hosts[0]}.evil.example"]
    for host in evil:
        lured = open_keeper(parameters={"base": f"https://{host}"}, resolve=resolve)
        with pytest.raises(sessionkeeper.UnexpectedAnswer, match="421"):
            lured.login(NAME, PASSWORD)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with contextlib.closing(connection):
        connection.request("GET", "/", headers={"Host": hosts[0]})
        assert connection.getresponse().status == 421
    with pytest.raises(AssertionError):
        assert_nothing_left(server, hosts)
    assert [one["host"] for one in server.journal()] == [*evil, hosts[0]]


def test_the_login(
    server: StandIn,
    service: Service,
    keeper: sessionkeeper.Keeper,
    hosts: list[str],
    fault: str,
) -> None:
    for status in STATUSES:
        lure(server, service.login, fault, status, times=1)
        with pytest.raises((sessionkeeper.HostNotAllowed, sessionkeeper.UnexpectedAnswer)):
            keeper.login(NAME, PASSWORD)
    assert_signed_out(keeper)
    assert sum(one["has_password"] for one in server.journal()) == len(STATUSES)
    if service.cookies:
        # What the server opened is given back, as far as anything of it arrived.
        assert alive(server) == [False] * len(STATUSES)
    assert_nothing_left(server, hosts)


def test_a_request_and_a_renewal(
    server: StandIn,
    service: Service,
    keeper: sessionkeeper.Keeper,
    hosts: list[str],
    fault: str,
) -> None:
    session = keeper.login(NAME, PASSWORD)
    for status in STATUSES:
        lure(server, service.me, fault, status, times=2)
        for ask in (session.get, session.post):
            with pytest.raises((sessionkeeper.HostNotAllowed, sessionkeeper.UnexpectedAnswer)):
                ask(base(server) + service.me)
    assert me(server, service, session) == NAME
    for status in STATUSES if service.renews else ():
        keeper.login(NAME, PASSWORD)
        lure(server, service.renew, fault, status, times=1)
        with pytest.raises((sessionkeeper.HostNotAllowed, sessionkeeper.UnexpectedAnswer)):
            keeper.renew()
    assert_nothing_left(server, hosts)


def test_the_logout(
    server: StandIn,
    service: Service,
    keeper: sessionkeeper.Keeper,
    hosts: list[str],
    fault: str,
) -> None:
    for status in STATUSES:
        keeper.login(NAME, PASSWORD)
        lure(server, service.logout, fault, status)
        report = keeper.logout()
        # Where there is a probe, it finds the session alive.
        expected = "alive" if service.probe else "unconfirmed"
        assert (report.local, report.remote) == ("cleared", expected)
        assert keeper.drain().revoked == 0
        assert_nothing_left(server, hosts)
        assert alive(server)[-1]
        server.clear_faults()
        # One logout renews so often and no more; then the end is there, and the proof is not.
        by_renewal = service.probe == service.renew
        assert keeper.drain().revoked == (0 if by_renewal else 1)
        assert not alive(server)[-1]


def test_the_look_whether_the_session_is_dead(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, hosts: list[str]
) -> None:
    for fault, status in zip(LOCATIONS, STATUSES * 2) if service.probe else ():
        keeper.login(NAME, PASSWORD)
        lure(server, service.probe, fault, status)
        assert keeper.logout().remote == "unconfirmed"
        server.clear_faults()
        # What was never accepted proves nothing by being refused later.
        assert keeper.drain().revoked == 0
        assert not alive(server)[-1]
    assert_nothing_left(server, hosts)
