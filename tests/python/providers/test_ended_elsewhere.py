"""A session that somebody else ended: the next request notices, and it is told once."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import (
    Copied,
    OpenKeeper,
    Service,
    assert_signed_out,
    audited,
    base,
    me,
    now,
    told,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


def test_the_next_request_notices_and_it_is_told_once(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, open_keeper: OpenKeeper
) -> None:
    session = keeper.login(NAME, PASSWORD)
    copied = Copied(server, service, keeper)
    newest = now(keeper)
    server.end_session(server.sessions()[-1]["id"])
    with pytest.raises(sessionkeeper.SessionExpired):
        me(server, service, session)
    assert_signed_out(keeper)
    # Whoever else has it open sees the same, and nobody is told again.
    for other in (keeper, open_keeper()):
        with pytest.raises(sessionkeeper.NotSignedIn):
            me(server, service, session)
        with pytest.raises(sessionkeeper.NotSignedIn):
            other.renew()
        assert other.restore() is None
        assert other.logout().local == "already_signed_out"
    assert told(keeper, newest, "session_expired") == ["ok"]
    assert told(keeper, newest, "logout") == []
    assert audited(keeper, "session_expired") == ["ok"]
    copied.assert_refused()
    assert keeper.login(NAME, PASSWORD).account.email == NAME


def test_access_that_alone_was_ended_is_renewed(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    session = keeper.login(NAME, PASSWORD)
    newest = now(keeper)
    # By the server's clock; this device does not know of it.
    server.settings(clock_offset=service.lapse + 5)
    if not service.renews:
        with pytest.raises(sessionkeeper.SessionExpired):
            me(server, service, session)
        assert_signed_out(keeper)
        assert told(keeper, newest, "session_expired") == ["ok"]
        return
    assert me(server, service, session) == NAME
    assert [one["answer"] for one in server.journal(service.me)] == [401, 200]
    assert told(keeper, newest, "renewed") == ["ok"]
    assert told(keeper, newest, "session_expired") == []
    assert server.sessions()[-1]["renewals"] == 1


def test_another_process_notices(
    server: StandIn, service: Service, command_line: CommandLine
) -> None:
    name, password = StandIn.NON_ASCII
    command_line.json("login", "--username", name, given=f"{password}\n".encode())
    server.end_session(server.sessions()[-1]["id"])
    where = base(server) + service.me
    error = command_line.json("request", "GET", where, exit_status=3)["error"]
    assert error["code"] == "session_expired"
    assert command_line.json("status")["state"] == "signed_out"
    assert command_line.json("request", "GET", where, exit_status=3)["error"]
    events = [one["event"] for one in command_line.json("audit")["events"]]
    assert events.count("session_expired") == 1


def test_a_logout_of_a_session_that_was_over(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    if service.renews:
        keeper.renew()
    copied = Copied(server, service, keeper)
    server.end_session(server.sessions()[-1]["id"])
    report = keeper.logout()
    copied.assert_refused()
    # What was never accepted may be refused of a living session too.
    said = "signed_out" if service.renews else "signed_out_unconfirmed"
    assert (report.local, report.summary_key) == ("cleared", said)
    assert len(keeper.outbox()) == (not service.renews)
