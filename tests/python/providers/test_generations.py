"""The two services whose logout came in two generations, row by row of the tables that tell them:
the new one always answers 200, the old one 401 or 403 and 500. The client ends logged out every
time, and claims no more than the server has proved.
"""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.providers.services import (
    IDEMPOTENT,
    JWT_AUDIT,
    Copied,
    Service,
    assert_signed_out,
    audited,
    forget_sessions,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


@pytest.fixture(scope="module", params=[JWT_AUDIT, IDEMPOTENT], ids=lambda one: one.id)
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


@pytest.fixture(params=["new", "old", "old 403"], autouse=True)
def generation(request: pytest.FixtureRequest, server: StandIn) -> str:
    name, _, refusal = request.param.partition(" ")
    server.settings(generation=name, old_refusal=refusal or "401")
    return str(request.param)


@pytest.fixture
def copied(server: StandIn, service: Service, keeper: sessionkeeper.Keeper) -> Copied:
    """What the session holds; with it, `keeper` is logged in."""
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, service, keeper)
    server.clear_journal()
    return copied


def test_a_valid_token_and_then_none(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    assert keeper.logout().remote == "revoked"
    first, last = server.journal()
    assert (first["path"], last["path"]) == (service.logout, service.probe)
    assert first["cookies"] == list(service.cookies)
    copied.assert_refused()
    assert server.sessions()[-1]["logouts"] == 1
    server.clear_journal()
    report = keeper.logout()
    assert (report.local, report.remote) == ("already_signed_out", "nothing_to_revoke")
    assert server.journal() == []


@pytest.mark.parametrize("why", ["invalid", "revoked", "expired"])
def test_a_token_that_the_server_does_not_take(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, copied: Copied, why: str
) -> None:
    if why == "invalid":
        forget_sessions(server)
    elif why == "revoked":
        server.end_session(server.sessions()[-1]["id"])
    else:
        server.settings(clock_offset=service.lapse + 5)
    report = keeper.logout()
    assert report.local == "cleared"
    assert_signed_out(keeper)
    if service is JWT_AUDIT:
        # The old server's 401 says it already, the others leave it to the probe.
        refusal = server.journal(service.logout)[-1]["answer"]
        assert report.remote == ("already_ended" if refusal == 401 else "revoked")
    else:
        # What renews outlives the access, and is not called dead while it is alive.
        assert report.confirmed is not server.check(cookies=copied.cookies)
        if why == "expired":
            keeper.drain()
        else:
            assert report.confirmed
    assert keeper.outbox() == []
    copied.assert_refused()


def test_a_database_that_fails(
    server: StandIn,
    service: Service,
    keeper: sessionkeeper.Keeper,
    copied: Copied,
    generation: str,
) -> None:
    server.settings(database_fails=True)
    report = keeper.logout()
    assert report.local == "cleared"
    # The new server answered 200, as always, and did nothing.
    assert server.journal(service.logout)[-1]["answer"] == (200 if generation == "new" else 500)
    assert report.remote == ("unconfirmed" if generation == "new" else "deferred")
    assert_signed_out(keeper)
    assert keeper.drain().revoked == 0
    assert audited(keeper, "revoked") == []
    server.settings(database_fails=False)
    copied.assert_accepted()
    assert keeper.drain().revoked == 1
    copied.assert_refused()
    assert keeper.outbox() == []
    assert audited(keeper, "revoked") == ["revoked"]
