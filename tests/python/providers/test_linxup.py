"""Cookies that a storefront forwards to an auth API, whose answer is all that counts."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.providers.services import (
    LINXUP,
    Copied,
    Service,
    alive,
    assert_signed_out,
    me,
    now,
    told,
    wait_until,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
LOGOUT = LINXUP.logout


@pytest.fixture(scope="module")
def service() -> Service:
    return LINXUP


@pytest.fixture
def copied(server: StandIn, keeper: sessionkeeper.Keeper) -> Copied:
    """What the session holds; with it, `keeper` is logged in."""
    keeper.login(NAME, PASSWORD)
    return Copied(server, LINXUP, keeper)


def test_all_cookies_are_forwarded_and_the_deletion_comes_back(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    report = keeper.logout()
    assert (report.remote, report.status) == ("revoked", 200)
    (request,) = server.journal(LOGOUT)
    assert request["cookies"] == sorted(LINXUP.cookies)
    (session,) = server.sessions()
    assert session["logout_cookies"] == sorted(LINXUP.cookies)
    assert (session["ended_by"], session["logouts"]) == ("logout", 1)
    copied.assert_refused()


@pytest.mark.parametrize("setting", ["nothing", "auth_down", "auth_status", "listening"])
def test_the_customer_number_goes_whatever_the_server_says(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied, setting: str
) -> None:
    assert "bc_customer_id" in keeper.status().cookies
    wrong = {"nothing": {}, "auth_down": {"auth_down": True}, "listening": {"listening": False}}
    server.settings(**wrong.get(setting, {"auth_status": 500}))
    report = keeper.logout()
    assert "bc_customer_id" in report.cookies_cleared
    assert report.remote == ("revoked" if setting == "nothing" else "deferred")
    assert_signed_out(keeper)
    server.settings(auth_down=False, auth_status=0, listening=True)
    # The server never deletes it, and the next account does not inherit it.
    session = keeper.login(*StandIn.NON_ASCII)
    assert session.cookies["bc_customer_id"] != copied.cookies["bc_customer_id"]
    assert me(server, LINXUP, session) == StandIn.NON_ASCII[0]


def test_a_cookie_that_stays_is_no_proof(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    server.settings(partial_deletion=True)
    report = keeper.logout()
    assert (report.local, report.remote, report.status) == ("cleared", "unconfirmed", 200)
    assert "refresh_token" in report.reason
    assert report.expires_at is not None
    assert_signed_out(keeper)
    # True: what renews is alive.
    assert server.check(cookies=copied.cookies)
    assert keeper.drain().revoked == 0
    server.settings(partial_deletion=False)
    assert keeper.drain().revoked == 1
    copied.assert_refused()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (204, "unconfirmed"),
        (302, "unconfirmed"),
        (400, "deferred"),
        (401, "already_ended"),
        (403, "unconfirmed"),
        (418, "unconfirmed"),
        (502, "deferred"),
    ],
)
def test_an_odd_status_of_the_auth_api_is_taken_as_it_comes(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied, status: int, outcome: str
) -> None:
    server.settings(auth_status=status)
    report = keeper.logout()
    assert (report.local, report.remote, report.status) == ("cleared", outcome, status)
    assert_signed_out(keeper)
    if outcome == "already_ended":
        assert keeper.outbox() == []
        return
    server.settings(auth_status=0)
    assert keeper.drain().revoked == 1
    copied.assert_refused()


@pytest.mark.parametrize(
    "fault", ["no_deletion", "deletion_other_path", "deletion_other_domain", "deletion_other_name"]
)
def test_a_deletion_that_deletes_nothing_is_no_proof(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied, fault: str
) -> None:
    server.fault(LOGOUT, fault, times=1)
    assert keeper.logout().remote == "unconfirmed"
    copied.assert_accepted()
    assert keeper.drain().revoked == 1
    copied.assert_refused()


@pytest.mark.parametrize("form", ["deletion_max_age", "deletion_with_value"])
def test_a_deletion_in_another_form_is_one(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied, form: str
) -> None:
    server.fault(LOGOUT, form, ends=True)
    assert keeper.logout().remote == "revoked"
    copied.assert_refused()


@pytest.mark.parametrize("generation", ["new", "old"])
def test_a_session_that_is_over_at_the_auth_api(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied, generation: str
) -> None:
    server.settings(generation=generation)
    server.end_session(server.sessions()[-1]["id"])
    report = keeper.logout()
    assert report.remote == ("revoked" if generation == "new" else "already_ended")
    assert keeper.outbox() == []
    copied.assert_refused()


@pytest.mark.parametrize("generation", ["new", "old"])
def test_the_refresh_cookie_alone_logs_out(
    server: StandIn, keeper: sessionkeeper.Keeper, generation: str
) -> None:
    server.settings(generation=generation, access_lifetime=1)
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, LINXUP, keeper)
    wait_until(keeper.status().expires_at)
    assert keeper.status().state == "expired"
    assert keeper.logout().remote == "revoked"
    copied.assert_refused()


def test_a_renewal_is_relayed_as_well(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    server.settings(auth_down=True)
    with pytest.raises(sessionkeeper.UnexpectedAnswer):
        keeper.renew()
    server.settings(auth_down=False)
    session = keeper.renew()
    assert session.cookies["refresh_token"] != copied.cookies["refresh_token"]
    assert session.cookies["bc_customer_id"] == copied.cookies["bc_customer_id"]
    assert not server.check(refresh_token=copied.cookies["refresh_token"])
    assert me(server, LINXUP, session) == NAME


def test_the_data_is_to_be_refreshed_after_a_logout(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    newest = now(keeper)
    server.settings(auth_down=True)
    keeper.logout()
    keeper.logout()
    assert len(told(keeper, newest, "update")) == 1
    assert alive(server) == [True]
