"""Fresh access without the user, where a provider has that: what renews is never sent twice."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import (
    RENEWING,
    Copied,
    Service,
    alive,
    assert_signed_out,
    audited,
    base,
    me,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


@pytest.fixture(scope="module", params=RENEWING, ids=lambda one: one.id)
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


def test_a_renewal_serves_once_and_the_next_uses_the_new_one(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    seen = [Copied(server, service, keeper)]
    for _ in range(2):
        assert me(server, service, keeper.renew()) == NAME
        seen.append(Copied(server, service, keeper))
    renewing = [one.cookies.get("refresh_token", str(dict(one.cookies))) for one in seen]
    assert len(set(renewing)) == 3
    (session,) = server.sessions()
    assert (session["alive"], session["renewals"], session.get("reuses", 0)) == (True, 2, 0)
    assert audited(keeper, "renewed") == ["ok", "ok"]
    assert keeper.logout().remote == "revoked"
    for one in seen:
        one.assert_refused()


def test_what_was_rotated_is_used_after_a_restart(
    server: StandIn, service: Service, command_line: CommandLine
) -> None:
    command_line.json("login", "--username", NAME, given=PASSWORD.encode() + b"\n")
    for times in (1, 2):
        # Each process finds that the access is over, renews, and asks once more.
        server.settings(clock_offset=times * (service.lapse + 5))
        answer = command_line.json("request", "GET", base(server) + service.me)
        assert answer["status"] == 200
        (session,) = server.sessions()
        assert (session["alive"], session["renewals"]) == (True, times)
    assert len(server.journal(service.renew)) == 2


def test_a_renewal_that_is_refused_tells_of_the_end(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    server.end_session(server.sessions()[-1]["id"])
    with pytest.raises(sessionkeeper.SessionExpired):
        keeper.renew()
    assert_signed_out(keeper)
    keeper.drain()
    # No renewal was ever granted, so a refusal proves nothing. Where the logout's own answer does
    # not either, what is left is not asked again, and stays until it ends by itself.
    left = [(entry.last_outcome, entry.next_attempt_at) for entry in keeper.outbox()]
    assert left == ([] if service.id == "linxup" else [("unconfirmed", None)])


@pytest.mark.parametrize("fault", ["reset_after_read", "mid_body_reset"])
def test_a_renewal_whose_answer_was_lost_is_not_sent_again(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, fault: str
) -> None:
    keeper.login(NAME, PASSWORD)
    server.fault(service.renew, fault)
    with pytest.raises(sessionkeeper.NetworkError):
        keeper.renew()
    server.clear_faults()
    with pytest.raises(sessionkeeper.Error):
        keeper.renew()
    assert len(server.journal(service.renew)) == 1
    # The server has used it up, and has not seen it twice.
    (session,) = server.sessions()
    assert (session["alive"], session["renewals"]) == (True, 1)
    assert keeper.logout().local == "cleared"
    assert alive(server) == [False]


@pytest.mark.parametrize("fault", ["status:503", "status:429"])
def test_a_renewal_that_was_put_off_is_tried_again(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, fault: str
) -> None:
    keeper.login(NAME, PASSWORD)
    server.fault(service.renew, fault, times=1)
    with pytest.raises(sessionkeeper.UnexpectedAnswer):
        keeper.renew()
    assert me(server, service, keeper.renew()) == NAME
    (session,) = server.sessions()
    assert (session["alive"], session["renewals"]) == (True, 1)


def test_a_renewal_that_was_redirected_is_not_sent_again(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    # The server rotates, and its answer becomes a redirect on the way.
    server.fault(service.renew, "evil_host", times=1)
    for _ in range(2):
        with pytest.raises(sessionkeeper.Error):
            keeper.renew()
    (session,) = server.sessions()
    assert (session["alive"], session["renewals"]) == (True, 1)
    assert len(server.journal(service.renew)) == 1
