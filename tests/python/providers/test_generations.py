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
    """What the session holds; with it, `keeper` is logged in, and was renewed where it can be."""
    keeper.login(NAME, PASSWORD)
    if service.renews:
        keeper.renew()
    copied = Copied(server, service, keeper)
    server.clear_journal()
    return copied


def test_a_valid_token_and_then_none(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    assert keeper.logout().remote == "revoked"
    asked = [one["path"] for one in server.journal()]
    around = [service.probe, service.logout, service.probe]
    assert asked == around + [service.renew] * service.renews
    assert server.journal(service.logout)[0]["cookies"] == list(service.cookies)
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
    copied.assert_refused()
    if service is JWT_AUDIT:
        # The old server's 401 says it. A probe that the server has never accepted says nothing.
        refusal = server.journal(service.logout)[-1]["answer"]
        assert report.remote == ("already_ended" if refusal == 401 else "unconfirmed")
        assert report.confirmed is (keeper.outbox() == [])
    else:
        # That it could be renewed, and now cannot, says it too.
        assert report.remote == ("revoked" if why == "expired" else "already_ended")
        assert keeper.outbox() == []


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
