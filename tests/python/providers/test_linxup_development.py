"""The shop as its developers run it: http on localhost, with the cookies of production or not."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

import sessionkeeper
from tests.python.providers.services import (
    LINXUP,
    OpenKeeper,
    Service,
    assert_signed_out,
    base,
    me,
)
from tests.servers.fixture import StandIn
from tests.servers.linxup.client import Client

NAME, PASSWORD = StandIn.VIEWER


@pytest.fixture(scope="module")
def service() -> Service:
    return LINXUP


@pytest.fixture
def server(stand_in: Callable[[str], StandIn], service: Service) -> StandIn:
    server = stand_in("linxup.plain").reset()
    server.settings(**service.settings)
    return server


@pytest.mark.parametrize("development", [False, True], ids=["Secure, None", "Lax"])
@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII], ids=["ascii", "non-ascii"])
def test_from_the_login_to_a_proved_logout(
    server: StandIn, keeper: sessionkeeper.Keeper, development: bool, who: tuple[str, str]
) -> None:
    server.settings(development=development)
    assert base(server).startswith("http://localhost:")
    session = keeper.login(*who)
    assert session.account.email == who[0]
    assert set(session.cookies) == set(LINXUP.cookies)
    assert me(server, LINXUP, session) == who[0]
    assert me(server, LINXUP, keeper.renew()) == who[0]
    old = session.cookies
    assert server.check(cookies=old)
    assert keeper.logout().remote == "revoked"
    assert not server.check(cookies=old)
    assert Client(server).ask("GET", LINXUP.me, cookies=old).status == 401
    assert_signed_out(keeper)
    assert {one["scheme"] for one in server.journal()} == {"http"}


def test_localhost_alone_is_spoken_to_without_encryption(
    server: StandIn, open_keeper: OpenKeeper, tmp_path: Path
) -> None:
    for host in ("shop.linxup-demo.example", "localhost.evil.example", "127.0.0.1.evil.example"):
        where = f"http://{host}:{server.port}"
        with pytest.raises(sessionkeeper.Error):
            open_keeper(parameters={"base": where}, resolve=server.resolve_also(host)).login(
                NAME, PASSWORD
            )
    assert server.journal() == []
