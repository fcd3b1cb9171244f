"""Logging in with a code that is entered on another device, from the code to the session."""

from __future__ import annotations

import time

import pytest

import sessionkeeper
from tests.python.oauth.issuers import BOTH, OIDC, WORKOS, Device, Issuer, audited, told
from tests.python.oauth.processes import Process
from tests.servers.fixture import StandIn

pytestmark = pytest.mark.parametrize("issuer", BOTH, ids=str)

# The setting for how long a code is good.
LIFETIME = {OIDC: "device_lifetime", WORKOS: "device_expires_in"}


def test_from_the_code_to_the_session(server: StandIn, issuer: Issuer, blank: Device) -> None:
    """Names and passwords of any script; those of ASCII are in every other test."""
    keeper, who = blank.keeper, StandIn.NON_ASCII
    login = keeper.start_device_login()
    assert (login.interval, keeper.status().state) == (1, "signed_out")
    assert login.verification_uri_complete is not None
    assert login.user_code in login.verification_uri_complete
    assert login.verification_uri_complete.startswith(login.verification_uri)
    assert 0 < login.remaining() <= 600
    rows = login.qr()
    assert len(rows) > 20
    assert all(len(row) == len(rows) and set(row) <= {"0", "1"} for row in rows)

    server.approve(login.user_code, *who)
    session = login.wait()
    assert session.account.email == who[0]
    assert session.account.id
    assert session.renewable
    assert session.expires_at is not None
    assert abs(session.expires_at - time.time() - 3600) < 60
    assert session.cookies == {}
    assert server.check(jwt=blank.token)
    assert blank.me() == who[0]
    assert (audited(keeper, "login"), told(keeper, "login")) == (["ok"], ["ok"])
    requests = server.journal(issuer.code) + server.journal(issuer.token)
    assert [one["answer"] for one in requests] == [200, 200]
    assert not any(one["cookies"] or one["bearer"] or one["query"] for one in requests)
    assert blank.open().restore() is not None


def test_another_process_is_signed_in_without_a_code(server: StandIn, device: Device) -> None:
    with Process(device.options) as other:
        other.begin("restore")
        assert other.end() == {"value": True}
    assert server.journal() == []


def test_a_login_that_is_denied(server: StandIn, issuer: Issuer, blank: Device) -> None:
    login = blank.keeper.start_device_login()
    server.approve(login.user_code, deny=True)
    with pytest.raises(sessionkeeper.LoginDenied) as caught:
        login.wait()
    assert caught.value.hint
    assert len(server.journal(issuer.token)) == 1
    assert blank.keeper.status().state == "signed_out"
    assert audited(blank.keeper, "login") == ["login_denied"]


def test_a_code_that_ended_and_a_new_one(server: StandIn, issuer: Issuer, blank: Device) -> None:
    server.settings(**{LIFETIME[issuer]: 1})
    login = blank.keeper.start_device_login()
    began = time.monotonic()
    with pytest.raises(sessionkeeper.CodeExpired) as caught:
        login.wait()
    assert time.monotonic() - began < 2.0
    assert (login.remaining(), bool(caught.value.hint)) == (0, True)
    assert audited(blank.keeper, "login") == ["code_expired"]
    server.settings(**{LIFETIME[issuer]: 300})
    again = blank.keeper.start_device_login()
    assert again.user_code != login.user_code
    server.approve(again.user_code)
    assert again.wait().account.email == StandIn.VIEWER[0]
    assert blank.me() == StandIn.VIEWER[0]


def test_a_password_is_not_asked_for(server: StandIn, blank: Device) -> None:
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        blank.keeper.login(*StandIn.VIEWER)
    assert caught.value.hint
    assert server.journal() == []


def test_a_new_login_ends_the_session_before_it(server: StandIn, device: Device) -> None:
    old = device.id
    device.log_in(StandIn.VIEWER)
    assert device.id != old
    assert device.keeper.outbox() == [], "it was ended at once"
    alive = {one["id"]: one["alive"] for one in server.sessions()}
    assert (alive[old], alive[device.id]) == (False, True)
    assert device.me() == StandIn.VIEWER[0]
