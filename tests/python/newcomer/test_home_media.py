"""A media server at home like Jellyfin, by a provider file from the documentation alone: two ways
in, one of them a code of its own kind, and a token in a header of its own kind."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import sessionkeeper
from tests.servers.fixture import StandIn

ME = "https://jellyfin.home-demo.example/Users/Me"
LOGOUT = "/Sessions/Logout"

Opened = Callable[..., sessionkeeper.Keeper]
LogIn = Callable[[StandIn, sessionkeeper.Keeper, "tuple[str, str]"], sessionkeeper.Session]


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("jellyfin").reset()


@pytest.fixture
def opened(server: StandIn, opener: Opened) -> Opened:
    return lambda device="device": opener(server, "home-media.toml", device)


def by_name(
    _: StandIn, keeper: sessionkeeper.Keeper, who: tuple[str, str]
) -> sessionkeeper.Session:
    return keeper.login(*who)


def by_code(
    server: StandIn, keeper: sessionkeeper.Keeper, who: tuple[str, str]
) -> sessionkeeper.Session:
    device = keeper.start_device_login()
    server.approve(device.user_code, *who)
    return device.wait()


def token_of(session: sessionkeeper.Session) -> str:
    return session.headers["Authorization"].rpartition('Token="')[2].rstrip('"')


def test_the_check_finds_no_problem(checked: Callable[[str], list[str]]) -> None:
    """Its one advice cannot be followed: a token of Jellyfin's does not end by itself."""
    told = checked("home-media.toml")
    (advice,) = [line for line in told if line.startswith("Advice")]
    assert advice.startswith("Advice: Without [renew]")


@pytest.mark.parametrize("log_in", [by_name, by_code], ids=["name", "code"])
@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII], ids=["ascii", "non-ascii"])
def test_login_restart_request_logout(
    server: StandIn, opened: Opened, log_in: LogIn, who: tuple[str, str]
) -> None:
    session = log_in(server, opened(), who)
    (entry,) = [one for one in server.sessions() if one["alive"]]
    assert entry["email"] == who[0]
    assert (entry["client"], entry["device"], entry["version"]) == ("Home Media", "Kodi", "1.0")
    assert session.expires_at is None

    server.restart()
    keeper = opened()
    restored = keeper.restore()
    assert restored is not None
    assert restored.account == session.account
    answer = restored.get(ME)
    assert answer.status_code == 200
    assert answer.json()["Id"] == session.account.id
    assert answer.json()["Name"] == session.account.name

    old = token_of(restored)
    assert server.check(jwt=old)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "revoked")
    assert not server.check(jwt=old)
    assert keeper.outbox() == []
    assert opened().restore() is None


def test_each_installation_is_a_device(server: StandIn, opened: Opened) -> None:
    """The server ends the older session of a user on the same device, and no other one."""
    by_name(server, opened(), server.VIEWER)
    by_code(server, opened(), server.VIEWER)
    by_name(server, opened("other"), server.VIEWER)
    first, second, third = server.sessions()
    assert first["device_id"] == second["device_id"] != third["device_id"]
    assert [one["alive"] for one in (first, second, third)] == [False, True, True]
    assert len(opened().accounts()) == 1


def test_the_code_is_waited_for(server: StandIn, opened: Opened) -> None:
    device = opened().start_device_login()
    entered = threading.Timer(3, server.approve, (device.user_code,))
    entered.start()
    try:
        assert device.wait().account.name == server.VIEWER[0]
    finally:
        entered.join()
    assert len(server.journal("/QuickConnect/Connect")) >= 2


def test_a_code_that_the_server_forgot(server: StandIn, opened: Opened) -> None:
    keeper = opened()
    device = keeper.start_device_login()
    server.restart()
    with pytest.raises(sessionkeeper.CodeExpired):
        device.wait()
    assert keeper.session is None


def test_a_server_without_codes(server: StandIn, opened: Opened) -> None:
    server.settings(quick_connect=False)
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="switched off"):
        opened().start_device_login()
    assert opened().login(*server.VIEWER).account.name == server.VIEWER[0]


def test_a_wrong_password(server: StandIn, opened: Opened) -> None:
    keeper = opened()
    with pytest.raises(sessionkeeper.CredentialsRefused):
        keeper.login(server.VIEWER[0], "wrong")
    assert keeper.session is None
    assert [one["answer"] for one in server.journal()] == [401]


def test_an_offline_logout_is_made_up_for(server: StandIn, opened: Opened) -> None:
    keeper = opened()
    old = token_of(keeper.login(*server.VIEWER))
    server.settings(listening=False)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert keeper.session is None
    assert server.check(jwt=old)

    server.settings(listening=True)
    server.restart()
    done = opened().drain()
    assert (done.revoked, done.entries) == (1, ())
    assert not server.check(jwt=old)


def test_an_answer_that_proves_nothing(server: StandIn, opened: Opened) -> None:
    server.fault(LOGOUT, "json_200")
    keeper = opened()
    old = token_of(keeper.login(*server.VIEWER))
    assert keeper.logout().remote == "alive"
    assert server.check(jwt=old)
    server.clear_faults()
    assert keeper.drain().revoked == 1
    assert not server.check(jwt=old)


def test_a_session_that_an_administrator_ended(server: StandIn, opened: Opened) -> None:
    """Without [renew] a 401 ends it here too, and the server is asked once more to be sure."""
    keeper = opened()
    session = keeper.login(*server.VIEWER)
    server.end_session(server.sessions()[-1]["id"])
    with pytest.raises(sessionkeeper.SessionExpired):
        session.get(ME)
    assert keeper.session is None
    assert opened().restore() is None
    done = opened().drain()
    assert (done.already_ended, done.entries) == (1, ())


def test_a_logout_of_a_session_that_was_over(server: StandIn, opened: Opened) -> None:
    keeper = opened()
    keeper.login(*server.VIEWER)
    server.end_session(server.sessions()[-1]["id"])
    assert keeper.logout().remote == "already_ended"
    assert keeper.outbox() == []
