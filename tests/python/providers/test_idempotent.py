"""A logout that always answers 200, row by row, and the older one that answers 401, 403 and 500.

The client ends logged out every time, and claims no more than the server has proved.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import sessionkeeper
from tests.python.providers.services import (
    IDEMPOTENT,
    Copied,
    OpenKeeper,
    Service,
    alive,
    assert_signed_out,
    me,
    wait_until,
)
from tests.servers.client import Client
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
LOGOUT, RENEW, ME = IDEMPOTENT.logout, IDEMPOTENT.renew, IDEMPOTENT.me


@pytest.fixture(scope="module")
def service() -> Service:
    return IDEMPOTENT


@pytest.fixture(params=["new", "old", "old 403"])
def generation(request: pytest.FixtureRequest, server: StandIn) -> str:
    name, _, refusal = request.param.partition(" ")
    server.settings(generation=name, old_refusal=refusal or "401")
    return str(request.param)


def copy(server: StandIn, keeper: sessionkeeper.Keeper) -> Copied:
    return Copied(server, IDEMPOTENT, keeper)


def paths(server: StandIn) -> list[str]:
    return [one["path"] for one in server.journal()]


# Row by row


def test_no_token(server: StandIn, open_keeper: OpenKeeper, tmp_path: Path) -> None:
    """The cookie alone; the older server's file has to say that it wants the token."""
    built_in = Path(__file__).parents[3] / "resources/providers/idempotent.toml"
    text = built_in.read_text("utf-8").replace('id = "idempotent"', 'id = "without-token"')
    step = text.index("[[logout.steps]]")
    file = tmp_path / "без-токена.toml"
    file.write_text(text[:step] + text[step:].replace("bearer = true\n", "", 1), "utf-8")
    keeper = open_keeper(file)
    keeper.login(NAME, PASSWORD)
    copied = copy(server, keeper)
    server.clear_journal()
    report = keeper.logout()
    assert [one["bearer"] for one in server.journal(LOGOUT)] == [False]
    assert (report.local, report.remote) == ("cleared", "revoked")
    assert_signed_out(keeper)
    copied.assert_refused()


def test_no_token_after_half_a_login(
    server: StandIn, keeper: sessionkeeper.Keeper, generation: str
) -> None:
    """The cookie came, and the token did not: the server has a session, and nobody is logged in."""
    server.fault(IDEMPOTENT.login, "with_status", code=500, times=1)
    with pytest.raises(sessionkeeper.UnexpectedAnswer):
        keeper.login(NAME, PASSWORD)
    assert_signed_out(keeper)
    if keeper.outbox() == []:
        assert alive(server) == [False], "it was said to be dead"
    keeper.drain()
    assert alive(server) == [False]
    assert keeper.outbox() == []


def log_in_with_a_lapsing_token(server: StandIn, keeper: sessionkeeper.Keeper) -> Copied:
    """Returns when only what renews is good, what was there before."""
    server.settings(token_lifetime=1)
    expires_at = keeper.login(NAME, PASSWORD).expires_at
    server.settings(token_lifetime=900)
    copied = copy(server, keeper)
    wait_until(expires_at)
    server.clear_journal()
    return copied


def test_an_expired_token_is_renewed_for_the_logout(
    server: StandIn, keeper: sessionkeeper.Keeper, generation: str
) -> None:
    copied = log_in_with_a_lapsing_token(server, keeper)
    assert keeper.logout().remote == "revoked"
    assert paths(server) == [RENEW, ME, LOGOUT, ME, RENEW]
    copied.assert_refused()
    (session,) = server.sessions()
    assert (session["alive"], session["renewals"], session["reuses"]) == (False, 1, 0)


def test_a_token_that_expired_in_the_outbox_is_renewed_as_well(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    copied = log_in_with_a_lapsing_token(server, keeper)
    server.settings(listening=False)
    assert keeper.logout().remote == "deferred"
    server.settings(listening=True)
    # What the renewal brought is not lost when the logout then fails.
    server.fault(LOGOUT, "status:503", times=1)
    assert keeper.drain().deferred == 1
    assert keeper.drain().revoked == 1
    assert paths(server) == [RENEW, ME, LOGOUT, LOGOUT, ME, RENEW]
    copied.assert_refused()
    assert keeper.outbox() == []
    (session,) = server.sessions()
    assert (session["alive"], session["renewals"], session["reuses"]) == (False, 1, 0)


def test_an_expired_token_and_an_expired_cookie(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    server.settings(token_lifetime=1, refresh_lifetime=1)
    expires_at = keeper.login(NAME, PASSWORD).expires_at
    copied = copy(server, keeper)
    assert expires_at is not None
    wait_until(expires_at + 1)
    server.clear_journal()
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "already_ended")
    assert server.journal() == []
    assert keeper.outbox() == []
    copied.assert_refused()


def test_what_outlives_the_token_is_tried_too(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    """The access token is refused, and what renews it is not."""
    keeper.login(NAME, PASSWORD)
    server.fault(LOGOUT, "json_200", body="{}")
    server.fault(ME, "delay", delay=0, times=1)
    server.fault(ME, "status:401")
    report = keeper.logout()
    assert alive(server) == [True]
    assert report.remote != "revoked"


# The cookie


def test_the_cookie_goes_with_the_session(server: StandIn, keeper: sessionkeeper.Keeper) -> None:
    session = keeper.login(NAME, PASSWORD)
    assert session.cookies.keys() == {"refresh_token"}
    first = session.cookies["refresh_token"]
    assert me(server, IDEMPOTENT, keeper.renew()) == NAME
    second = session.cookies["refresh_token"]
    assert first != second
    assert not server.check(refresh_token=first)
    assert server.check(refresh_token=second)
    assert keeper.logout().cookies_cleared == ("refresh_token",)
    assert not server.check(refresh_token=second)


def test_a_refresh_token_that_a_thief_used_ends_the_session(
    server: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    keeper.login(NAME, PASSWORD)
    thief = Client(server, cookies=keeper.renew().cookies)
    assert thief.post(RENEW).status == 200
    with pytest.raises(sessionkeeper.SessionExpired):
        keeper.renew()
    assert_signed_out(keeper)
    assert alive(server) == [False]
    assert thief.post(RENEW).status == 401
    keeper.drain()
    assert keeper.outbox() == []
