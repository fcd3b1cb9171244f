"""Logging out, the same for every provider: what is said of the server is what the server does."""

from __future__ import annotations

import time

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import (
    Copied,
    Service,
    alive,
    assert_signed_out,
    audited,
    base,
    me,
    now,
    told,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII], ids=["ascii", "non-ascii"])
def test_after_a_logout_the_old_credentials_are_refused(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, who: tuple[str, str]
) -> None:
    session = keeper.login(*who)
    copied = Copied(server, service, keeper)
    copied.assert_accepted()
    newest = now(keeper)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "revoked")
    assert report.summary_key == "signed_out"
    assert set(report.cookies_cleared) == set(service.cookies)
    copied.assert_refused()
    assert_signed_out(keeper)
    assert keeper.outbox() == []
    assert audited(keeper, "revoked") == ["revoked"]
    assert [told(keeper, newest, event) for event in ("logout", "revoked")] == [["revoked"]] * 2
    with pytest.raises(sessionkeeper.NotSignedIn):
        session.get(base(server) + service.me)


def test_a_logout_without_a_network_is_made_up_for(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, service, keeper)
    server.settings(listening=False)
    began = time.monotonic()
    report = keeper.logout(deadline=2)
    assert time.monotonic() - began < 4
    assert (report.local, report.remote, report.status) == ("cleared", "deferred", None)
    assert_signed_out(keeper)
    assert keeper.status().pending_revocations == 1
    server.settings(listening=True)
    copied.assert_accepted()
    assert keeper.drain().revoked == 1
    copied.assert_refused()
    assert keeper.outbox() == []
    assert keeper.drain().revoked == 0
    assert audited(keeper, "revoked") == ["revoked"]


def test_another_process_makes_up_for_it(
    server: StandIn, service: Service, command_line: CommandLine
) -> None:
    name, password = StandIn.NON_ASCII
    command_line.json("login", "--username", name, given=f"{password}\n".encode())
    server.settings(listening=False)
    report = command_line.json("logout")
    assert (report["local"], report["remote"]) == ("cleared", "deferred")
    server.settings(listening=True)
    assert alive(server) == [True]
    drained = command_line.json("outbox", "--drain")
    assert (drained["revoked"], drained["entries"]) == (1, [])
    assert alive(server) == [False]


def test_a_logout_for_this_device_alone_tells_the_server_later(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, service, keeper)
    server.clear_journal()
    assert keeper.logout(local_only=True).remote == "deferred"
    assert server.journal() == []
    assert_signed_out(keeper)
    assert keeper.drain().revoked == 1
    copied.assert_refused()


def test_logging_out_when_nobody_is_signed_in(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    def log_out() -> None:
        server.clear_journal()
        report = keeper.logout()
        assert (report.local, report.remote) == ("already_signed_out", "nothing_to_revoke")
        assert (report.status, report.cookies_cleared) == (None, ())
        assert server.journal() == []

    log_out()
    keeper.login(NAME, PASSWORD)
    keeper.logout()
    log_out()
    log_out()


def test_a_new_login_is_not_ended_by_an_old_logout(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    server.fault(service.logout, "status:503", times=1)
    assert keeper.logout().remote == "deferred"
    session = keeper.login(NAME, PASSWORD)
    assert keeper.drain().revoked == 1
    assert me(server, service, session) == NAME
    assert alive(server) == [False, True]


def test_a_second_login_ends_the_first_session(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, service, keeper)
    session = keeper.login(NAME, PASSWORD)
    assert keeper.outbox() == []
    copied.assert_refused()
    assert me(server, service, session) == NAME
    assert alive(server) == [False, True]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("status:503", "deferred"),
        ("reset_after_read", "deferred"),
        ("status:403", "unconfirmed"),
        ("status:204", "unconfirmed"),
        ("json_200", "unconfirmed"),
    ],
)
def test_no_success_is_said_without_proof(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, fault: str, outcome: str
) -> None:
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, service, keeper)
    # The stand-in keeps the session alive behind these answers, and the probe finds that out.
    server.fault(service.logout, fault)
    if service.probe and outcome == "unconfirmed":
        outcome = "alive"
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", outcome)
    assert report.expires_at is not None
    assert_signed_out(keeper)
    (entry,) = keeper.outbox()
    assert (entry.last_outcome, entry.expires_at) == (outcome, report.expires_at)
    assert audited(keeper, "revoked") == []
    assert alive(server) == [True]
    server.clear_faults()
    assert keeper.drain().revoked == 1
    copied.assert_refused()
    assert audited(keeper, "revoked") == ["revoked"]


def test_an_answer_that_was_lost_is_asked_for_again(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, service, keeper)
    server.fault(service.logout, "ended_but_reset", times=1)
    assert keeper.logout().remote == "deferred"
    drained = keeper.drain()
    assert drained.revoked + drained.already_ended == 1
    copied.assert_refused()
    assert len(audited(keeper, "revoked")) == 1
