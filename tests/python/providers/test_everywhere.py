"""Logging out everywhere, where a service lists an account's sessions: each one is ended."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import (
    ALL,
    IDEMPOTENT,
    Copied,
    OpenKeeper,
    Service,
    alive,
    assert_signed_out,
    hosts_of,
    me,
    wait_until,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
SESSIONS = "/api/auth/sessions"


@pytest.fixture(scope="module")
def service() -> Service:
    return IDEMPOTENT


@pytest.fixture
def devices(open_keeper: OpenKeeper) -> list[sessionkeeper.Keeper]:
    """Three, each with a session of the same account."""
    keepers = [open_keeper(device=f"пристрій {number}") for number in range(3)]
    for keeper in keepers:
        keeper.login(*StandIn.NON_ASCII)
    return keepers


def test_one_of_three_devices_ends_all_three(
    server: StandIn, open_keeper: OpenKeeper, devices: list[sessionkeeper.Keeper]
) -> None:
    other = open_keeper(device="somebody else's")
    other_session = other.login(NAME, PASSWORD)
    copied = [Copied(server, IDEMPOTENT, keeper) for keeper in devices]
    assert alive(server) == [True] * 4
    report = devices[1].logout(everywhere=True)
    assert (report.local, report.remote) == ("cleared", "revoked")
    assert alive(server) == [False, False, False, True]
    for one in copied:
        one.assert_refused()
    assert devices[1].outbox() == []
    assert report.sessions_ended == 3
    # The others notice by themselves.
    for keeper in (devices[0], devices[2]):
        session = keeper.session
        assert session is not None
        with pytest.raises(sessionkeeper.SessionExpired):
            me(server, IDEMPOTENT, session)
        assert_signed_out(keeper)
    assert me(server, IDEMPOTENT, other_session) == NAME


def test_a_plain_logout_ends_one_and_counts_none(
    server: StandIn, devices: list[sessionkeeper.Keeper]
) -> None:
    report = devices[0].logout()
    assert (report.remote, report.sessions_ended) == ("revoked", None)
    assert alive(server) == [False, True, True]


def test_without_a_network_the_others_are_ended_later(
    server: StandIn, devices: list[sessionkeeper.Keeper]
) -> None:
    server.settings(listening=False)
    report = devices[0].logout(everywhere=True)
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert report.sessions_ended in (None, 0)
    server.settings(listening=True)
    assert alive(server) == [True] * 3
    assert devices[0].drain().revoked == 1
    assert alive(server) == [False] * 3


def test_one_that_could_not_be_ended_is_told(
    server: StandIn, devices: list[sessionkeeper.Keeper]
) -> None:
    server.fault(f"{SESSIONS}/{server.sessions()[2]['id']}", "status:503", times=1)
    report = devices[0].logout(everywhere=True)
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert_signed_out(devices[0])
    assert report.sessions_ended == alive(server).count(False)
    assert len(devices[0].outbox()) == 1
    devices[0].drain()
    assert alive(server) == [False] * 3
    assert devices[0].outbox() == []


@pytest.mark.parametrize("status", [302, 307])
def test_nothing_follows_a_redirect(
    server: StandIn, open_keeper: OpenKeeper, devices: list[sessionkeeper.Keeper], status: int
) -> None:
    keeper = open_keeper(device="пристрій 0", resolve=server.resolve_also("evil.example"))
    server.fault(SESSIONS, "evil_host", status=status, times=1)
    keeper.logout(everywhere=True)
    keeper = open_keeper(device="пристрій 1", resolve=server.resolve_also("evil.example"))
    server.fault(f"{SESSIONS}/*", "evil_host", status=status, times=1)
    keeper.logout(everywhere=True)
    assert {one["host"] for one in server.journal()} == set(hosts_of(server, IDEMPOTENT))
    assert server.connections() == []


@pytest.mark.parametrize("fault", ["status:503", "reset_after_read", "json_200", "html_200"])
def test_a_list_that_cannot_be_had_proves_nothing(
    server: StandIn, devices: list[sessionkeeper.Keeper], fault: str
) -> None:
    server.fault(SESSIONS, fault)
    report = devices[0].logout(everywhere=True)
    assert report.local == "cleared"
    assert report.remote in ("deferred", "unconfirmed")
    assert report.sessions_ended in (None, 0, 1)
    assert alive(server)[1:] == [True, True]


def test_an_access_token_that_lapsed_is_renewed_for_the_list(
    server: StandIn, devices: list[sessionkeeper.Keeper], open_keeper: OpenKeeper
) -> None:
    server.settings(token_lifetime=1)
    keeper = open_keeper(device="last")
    expires_at = keeper.login(*StandIn.NON_ASCII).expires_at
    server.settings(token_lifetime=900)
    wait_until(expires_at)
    assert keeper.logout(everywhere=True).remote == "revoked"
    assert alive(server) == [False] * 4


def test_the_command_line_says_how_many(
    server: StandIn, devices: list[sessionkeeper.Keeper], command_line: CommandLine
) -> None:
    name, password = StandIn.NON_ASCII
    command_line.json("login", "--username", name, given=f"{password}\n".encode())
    report = command_line.json("logout", "--everywhere")
    assert (report["remote"], report["sessions_ended"]) == ("revoked", 4)
    assert alive(server) == [False] * 4


@pytest.mark.parametrize("other", [one for one in ALL if one is not IDEMPOTENT], ids=lambda o: o.id)
def test_where_there_is_no_way_nothing_is_done(
    server: StandIn, open_keeper: OpenKeeper, other: Service
) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="other devices"):
        open_keeper(other.id).logout(everywhere=True)
    assert server.journal() == []
