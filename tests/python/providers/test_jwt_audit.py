"""Tokens that nobody can call back, and a server that writes down who gave them up."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import (
    JWT_AUDIT,
    Copied,
    Service,
    alive,
    assert_signed_out,
    audited,
    me,
    now,
    told,
    wait_until,
)
from tests.servers.fastapi_parts.audit import audit_log
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
ME = JWT_AUDIT.me


@pytest.fixture(scope="module")
def service() -> Service:
    return JWT_AUDIT


def copy(server: StandIn, keeper: sessionkeeper.Keeper) -> Copied:
    return Copied(server, JWT_AUDIT, keeper)


def log_in_for(server: StandIn, keeper: sessionkeeper.Keeper, seconds: int) -> int:
    """A token that ends so soon, or up to a second earlier; returns when that is."""
    server.settings(token_lifetime=seconds)
    expires_at = keeper.login(NAME, PASSWORD).expires_at
    assert expires_at is not None
    return expires_at


def recorded(server: StandIn) -> list[tuple[str, str]]:
    """The logouts in the server's audit log: whose, and what was wrong."""
    events = audit_log(server.directory)
    return [(one["email"], one["detail"]) for one in events if one["event"] == "logout"]


# What the logout proves


def test_with_a_deny_list_the_probe_proves_it(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    copied = copy(server, keeper)
    server.clear_journal()
    report = keeper.logout()
    assert (report.remote, report.status, report.audit_warning) == ("revoked", 401, "")
    asked = [(one["method"], one["path"], one["bearer"]) for one in server.journal()]
    assert asked == [("GET", ME, True), ("POST", JWT_AUDIT.logout, True), ("GET", ME, True)]
    copied.assert_refused()
    assert recorded(server) == [(NAME, "")]


def test_without_one_it_says_until_when_the_token_is_good(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    server.settings(deny_list=False)
    session = keeper.login(NAME, PASSWORD)
    copied = copy(server, keeper)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "alive")
    assert report.summary_key == "signed_out_alive"
    assert report.expires_at == session.expires_at == server.sessions()[-1]["expires_at"]
    copied.assert_accepted()
    assert_signed_out(keeper)
    (entry,) = keeper.outbox()
    assert (entry.last_outcome, entry.expires_at) == ("alive", session.expires_at)
    assert recorded(server) == [(NAME, "")]


def test_what_is_alive_is_dropped_when_the_token_has_ended(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    server.settings(deny_list=False)
    expires_at = log_in_for(server, keeper, 3)
    assert keeper.logout().remote == "alive"
    wait_until(expires_at)
    server.clear_journal()
    drained = keeper.drain()
    assert (drained.expired, drained.revoked, drained.entries) == (1, 0, ())
    assert server.journal() == []
    assert keeper.status().pending_revocations == 0
    assert audited(keeper, "revocation_expired") == ["expired"]
    assert audited(keeper, "revoked") == []


def test_a_deny_list_that_came_later_proves_it_then(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    server.settings(deny_list=False)
    keeper.login(NAME, PASSWORD)
    copied = copy(server, keeper)
    assert keeper.logout().remote == "alive"
    server.settings(deny_list=True)
    assert keeper.drain().revoked == 1
    copied.assert_refused()


def test_a_probe_that_a_living_session_fails_too_proves_nothing(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    server.settings(deny_list=False)
    keeper.login(NAME, PASSWORD)
    copied = copy(server, keeper)
    server.fault(ME, "status:401")
    assert keeper.logout().remote == "unconfirmed"
    server.clear_faults()
    copied.assert_accepted()


# The server's audit log


@pytest.mark.parametrize("deny_list", [True, False])
def test_a_log_that_fails_is_a_warning_and_no_error(
    server: StandIn, keeper: sessionkeeper.Keeper, deny_list: bool
) -> None:
    server.settings(audit_fails=True, deny_list=deny_list)
    keeper.login(NAME, PASSWORD)
    report = keeper.logout()
    assert report.local == "cleared"
    assert report.remote == ("revoked" if deny_list else "alive")
    assert "could not be recorded" in report.audit_warning
    assert_signed_out(keeper)
    assert recorded(server) == []


def test_the_command_line_shows_the_warning(server: StandIn, command_line: CommandLine) -> None:
    server.settings(audit_fails=True)
    command_line.json("login", "--username", NAME, given=PASSWORD.encode() + b"\n")
    report = command_line.json("logout")
    assert report["remote"] == "revoked"
    assert "could not be recorded" in report["audit_warning"]


# A token that ends


def test_nobody_is_signed_in_with_a_token_that_has_ended(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    expires_at = log_in_for(server, keeper, 3)
    session = keeper.session
    assert session is not None
    with pytest.raises(sessionkeeper.InvalidInput, match="cannot be renewed"):
        keeper.renew()
    newest = now(keeper)
    wait_until(expires_at)
    assert keeper.status().state == "expired"
    assert not keeper.status().renewable
    server.clear_journal()
    with pytest.raises(sessionkeeper.SessionExpired):
        me(server, JWT_AUDIT, session)
    assert server.journal() == []
    assert_signed_out(keeper)
    assert told(keeper, newest, "session_expired") == ["ok"]
    assert keeper.outbox() == []
    assert alive(server) == [True]


def test_a_token_that_has_ended_here_as_well(server: StandIn, keeper: sessionkeeper.Keeper) -> None:
    expires_at = log_in_for(server, keeper, 1)
    wait_until(expires_at)
    server.clear_journal()
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "already_ended")
    assert server.journal() == []
    assert keeper.outbox() == []
