"""A chat service like Twitch, by a provider file from the documentation alone: a device login whose
words stand elsewhere, refresh tokens that serve once, and a logout that cannot be complete."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import sessionkeeper
from tests.servers.fixture import StandIn

ME = "https://api.twitch.tv/helix/users"
VALIDATE = "https://id.twitch.tv/oauth2/validate"

Opened = Callable[[], sessionkeeper.Keeper]


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    server = stand_in("twitch").reset()
    server.settings(device_interval=1)
    return server


@pytest.fixture
def opened(server: StandIn, opener: Callable[..., sessionkeeper.Keeper]) -> Opened:
    return lambda: opener(server, "chat.toml")


def log_in(
    server: StandIn, keeper: sessionkeeper.Keeper, who: tuple[str, str] = StandIn.VIEWER
) -> sessionkeeper.Session:
    device = keeper.start_device_login()
    server.approve(device.user_code, *who)
    return device.wait()


def bearer_of(session: sessionkeeper.Session) -> str:
    return session.headers["Authorization"].partition(" ")[2]


def polls(server: StandIn) -> list[int]:
    asked = server.journal("/oauth2/token")
    return [one["answer"] for one in asked if "device_code" in one["grant_type"]]


def renewals(server: StandIn) -> list[int | str]:
    asked = server.journal("/oauth2/token")
    return [one["answer"] for one in asked if one["grant_type"] == "refresh_token"]


def test_the_check_finds_no_problem(checked: Callable[[str], list[str]]) -> None:
    """Its one advice cannot be followed: nothing at this service proves a logout."""
    told = checked("chat.toml")
    (advice,) = [line for line in told if line.startswith("Advice")]
    assert advice.startswith("Advice: Nothing proves a logout")
    assert "A logout does not end the refresh token, which lives for up to 30 days." in told


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII], ids=["ascii", "non-ascii"])
def test_login_restart_request(server: StandIn, opened: Opened, who: tuple[str, str]) -> None:
    session = log_in(server, opened(), who)
    user = next(one for one in server.users() if one["email"] == who[0])
    assert session.account.email == user["email"]
    assert session.account.name == user["name"]
    assert session.account.id
    assert session.renewable

    server.restart()
    restored = opened().restore()
    assert restored is not None
    assert restored.account == session.account
    answer = restored.get(ME)
    assert answer.status_code == 200
    assert answer.json()["data"][0]["id"] == session.account.id
    assert renewals(server) == []


def test_the_code_is_waited_for(server: StandIn, opened: Opened) -> None:
    device = opened().start_device_login()
    assert device.user_code in device.address
    entered = threading.Timer(2.5, server.approve, (device.user_code,))
    entered.start()
    try:
        assert device.wait().account.email == server.VIEWER[0]
    finally:
        entered.join()
    assert polls(server)[-1] == 200
    assert set(polls(server)[:-1]) == {400}


def test_a_refusal_that_twitch_words_as_a_used_code(server: StandIn, opened: Opened) -> None:
    server.settings(denied_word="invalid device code")
    keeper = opened()
    device = keeper.start_device_login()
    server.approve(device.user_code, deny=True)
    with pytest.raises(sessionkeeper.UnexpectedAnswer):
        device.wait()
    assert keeper.session is None
    assert polls(server) == [400]


def test_the_login_host_gets_no_token(server: StandIn, opened: Opened) -> None:
    session = log_in(server, opened())
    assert session.get(VALIDATE).status_code == 401
    assert [one["session"] for one in server.journal("/oauth2/validate")] == [None]


def test_a_renewal_ends_the_old_token(server: StandIn, opened: Opened) -> None:
    keeper = opened()
    old = bearer_of(log_in(server, keeper))
    new = bearer_of(keeper.renew())
    assert new != old
    assert not server.check(jwt=old)
    assert server.check(jwt=new)

    restored = opened().restore()
    assert restored is not None
    assert bearer_of(restored) == new
    assert restored.get(ME).status_code == 200
    assert renewals(server) == [200]


def test_a_token_that_ended_is_renewed_by_a_401(server: StandIn, opened: Opened) -> None:
    session = log_in(server, opened())
    server.settings(clock_offset=5 * 3600)
    assert session.get(ME).status_code == 200
    assert renewals(server) == [200]


def test_a_lost_renewal_is_not_sent_again(server: StandIn, opened: Opened) -> None:
    """A used refresh token that comes again ends the connection on all devices."""
    keeper = opened()
    log_in(server, keeper)
    server.fault("/oauth2/token", "fin_without_answer", times=1)
    for _ in range(2):
        with pytest.raises(sessionkeeper.Error):
            keeper.renew()
    opened().restore()
    assert len(renewals(server)) == 1
    assert server.sessions()[-1]["alive"]


@pytest.mark.parametrize("status", [400, 401])
def test_a_user_who_disconnected_the_client(server: StandIn, opened: Opened, status: int) -> None:
    server.settings(disconnected_status=status)
    keeper = opened()
    session = log_in(server, keeper)
    server.end_session(server.sessions()[-1]["id"])
    with pytest.raises(sessionkeeper.SessionExpired):
        session.get(ME)
    assert renewals(server) == [status]
    assert opened().restore() is None


def test_a_logout_says_that_it_proves_nothing(server: StandIn, opened: Opened) -> None:
    """The access token is dead; the refresh token opens the door for up to 30 days."""
    keeper = opened()
    old = bearer_of(log_in(server, keeper))
    report = keeper.logout()
    assert (report.local, report.remote, report.status) == ("cleared", "unconfirmed", 200)
    assert not server.check(jwt=old)
    assert server.sessions()[-1]["alive"]
    assert opened().restore() is None

    (waiting,) = opened().outbox()
    assert waiting.next_attempt_at is None
    opened().drain()
    assert len(server.journal("/oauth2/revoke")) == 1


def test_an_offline_logout_is_made_up_for(server: StandIn, opened: Opened) -> None:
    keeper = opened()
    old = bearer_of(log_in(server, keeper))
    server.settings(listening=False)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert keeper.session is None
    assert server.check(jwt=old)

    server.settings(listening=True)
    server.restart()
    done = opened().drain()
    assert (done.revoked, done.unconfirmed) == (0, 1)
    assert not server.check(jwt=old)
    assert server.sessions()[-1]["alive"]
