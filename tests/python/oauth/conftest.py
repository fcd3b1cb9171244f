"""Logging in with a code, by the real module, at servers that know a refresh token used twice."""

from __future__ import annotations

from typing import Callable, Iterator

import pytest

import sessionkeeper
from tests.python.oauth.issuers import OIDC, USUAL, Device, Issuer, Pool
from tests.servers.fixture import StandIn
from tests.servers.oidc import find_reuse, install

LACK = install.missing()


class Stage:
    """The stand-ins of this session, and the devices that are logged in there."""

    def __init__(
        self, factory: pytest.TempPathFactory, stand_in: Callable[[str, bool], StandIn]
    ) -> None:
        self._factory = factory
        self._stand_in = stand_in
        self._pools: dict[str, Pool] = {}

    def server(self, issuer: Issuer) -> StandIn:
        """Started, with nothing wrong and nothing in its journal."""
        server = self._stand_in(issuer.stand_in, True)
        for path in ("/faults", "/settings", "/journal"):
            server._ask("DELETE", path)
        server.settings(**USUAL)
        return server

    def forget(self, issuer: Issuer) -> None:
        """The server knows of no session any more, also of none that a test would be given."""
        self._stand_in(issuer.stand_in, True)._ask("DELETE", "/sessions")
        self._pools.pop(issuer.id, None)

    def pool(self, issuer: Issuer) -> Pool:
        if issuer.id not in self._pools:
            server = self._stand_in(issuer.stand_in, True)
            self._pools[issuer.id] = Pool(server, issuer, lambda: self._factory.mktemp("пристрій"))
        return self._pools[issuer.id]


@pytest.fixture(scope="session")
def stage(
    tmp_path_factory: pytest.TempPathFactory, stand_in: Callable[[str, bool], StandIn]
) -> Stage:
    return Stage(tmp_path_factory, stand_in)


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return OIDC


@pytest.fixture
def server(stage: Stage, issuer: Issuer) -> StandIn:
    if issuer is OIDC and LACK:
        pytest.skip(LACK)
    return stage.server(issuer)


@pytest.fixture(autouse=True)
def _no_refresh_token_is_sent_again(server: StandIn) -> Iterator[None]:
    before = find_reuse(server)
    yield
    server.start()
    assert find_reuse(server) == before, "a used refresh token was sent again"


@pytest.fixture
def devices(server: StandIn, stage: Stage, issuer: Issuer) -> Callable[[int], list[Device]]:
    """So many, each logged in; to be called before anything goes wrong."""

    def take(count: int) -> list[Device]:
        taken = stage.pool(issuer).take(count)
        server.clear_journal()
        return taken

    return take


@pytest.fixture
def device(devices: Callable[[int], list[Device]]) -> Device:
    (device,) = devices(1)
    return device


@pytest.fixture
def keeper(device: Device) -> sessionkeeper.Keeper:
    return device.keeper


@pytest.fixture
def blank(server: StandIn, stage: Stage, issuer: Issuer) -> Device:
    """Nobody is logged in."""
    return stage.pool(issuer).blank()
