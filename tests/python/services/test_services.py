"""What a viewer does with each service: in, back after a restart, renewed, out, and out for real."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.services.conftest import Service
from tests.servers.fixture import StandIn


def told(service: Service, report: sessionkeeper.LogoutReport) -> None:
    """The outcome is the best that the service documents, and nothing better is said."""
    assert (report.local, report.remote) == ("cleared", service.case.outcome), report


def refused(service: Service, use: object) -> bool:
    assert callable(use)
    wanted = 200 if service.case.lives_on else service.case.refused
    return bool(use() == wanted)


def test_in_back_after_a_restart_and_out(service: Service) -> None:
    session = service.log_in(service.open())
    assert session.account.id
    back = service.open().restore()
    assert back is not None
    assert back.account == session.account
    answer = service.ask(back)
    assert answer.status_code == 200, answer.text
    use = service.copied(back)
    assert use() == 200
    told(service, service.open().logout())
    assert refused(service, use)
    assert service.open().restore() is None
    assert service.open().outbox() == [] or service.case.outcome == "unconfirmed"


def test_out_twice(service: Service, keeper: sessionkeeper.Keeper) -> None:
    service.log_in(keeper)
    told(service, keeper.logout())
    again = keeper.logout()
    assert (again.local, again.remote) == ("already_signed_out", "nothing_to_revoke")


def test_out_without_the_network_is_delivered_later(
    service: Service, keeper: sessionkeeper.Keeper
) -> None:
    use = service.copied(service.log_in(keeper))
    service.server.stop()
    report = keeper.logout()
    deferred = service.case.outcome if service.case.lives_on else "deferred"
    assert (report.local, report.remote) == ("cleared", deferred)
    service.server.start()
    if service.case.lives_on:
        return
    assert use() == 200
    drained = service.open().drain()
    assert (drained.revoked, drained.unconfirmed) == (
        (1, 0) if service.case.outcome == "revoked" else (0, 1)
    )
    assert refused(service, use)


def test_renewed(service: Service, keeper: sessionkeeper.Keeper) -> None:
    if not service.case.renews:
        assert not service.log_in(keeper).status.renewable
        return
    service.log_in(keeper)
    assert keeper.renew() is not None
    session = service.open().restore()
    assert session is not None
    assert service.ask(session).status_code == 200
    assert keeper.renew() is not None
    told(service, keeper.logout())


def test_two_accounts(service: Service, keeper: sessionkeeper.Keeper) -> None:
    first = service.copied(service.log_in(keeper))
    other = service.log_in(keeper, StandIn.NON_ASCII)
    second = service.copied(other)
    assert (first(), second()) == (200, 200)
    assert len(keeper.accounts()) == 2
    told(service, keeper.logout())
    assert refused(service, second)
    assert first() == 200
    (left,) = keeper.accounts()
    assert left.id != other.account.id


def test_ended_by_somebody_else(service: Service, keeper: sessionkeeper.Keeper) -> None:
    session = service.log_in(keeper)
    for one in service.server.sessions():
        service.server.end_session(one["id"])
    with pytest.raises(sessionkeeper.SessionExpired):
        service.ask(session)
    assert service.open().restore() is None or service.case.lives_on


def test_logged_in_again_ends_the_earlier_login(
    service: Service, keeper: sessionkeeper.Keeper
) -> None:
    first = service.copied(service.log_in(keeper))
    second = service.log_in(keeper)
    keeper.drain()
    assert service.ask(second).status_code == 200
    assert service.case.everywhere == "revoked" or refused(service, first)
    assert len(keeper.accounts()) == 1


def test_everywhere(service: Service) -> None:
    here, there = service.open("here"), service.open("there")
    service.log_in(there)
    use = service.copied(service.log_in(here))
    if not service.case.everywhere:
        with pytest.raises(sessionkeeper.InvalidInput, match="everywhere|other sessions"):
            here.logout(everywhere=True)
        return
    assert here.logout(everywhere=True).remote == service.case.everywhere
    assert use() == service.case.refused
    assert service.alive() == [False] * len(service.alive())


def test_a_wrong_password_or_no(service: Service, keeper: sessionkeeper.Keeper) -> None:
    if service.way == "password":
        with pytest.raises(sessionkeeper.CredentialsRefused):
            keeper.login(StandIn.VIEWER[0], "wrong")
    else:
        login = keeper.start_device_login()
        service.server.approve(login.user_code or login.address, deny=True)
    assert keeper.status().state == "signed_out"
    assert not any(service.alive())
    assert keeper.outbox() == []
