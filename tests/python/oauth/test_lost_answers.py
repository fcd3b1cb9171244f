"""The answer to a renewal got lost, by the network or by a kill: the refresh token may be used up.

It is never sent to the token endpoint again. The session is good until its access ends, and what
is left of it at the server is ended by the logout.
"""

from __future__ import annotations

import time

import pytest

import sessionkeeper
from tests.python.oauth.issuers import BOTH, OIDC, Device, Issuer, audited, told, wait_for
from tests.python.oauth.processes import Process
from tests.servers.fixture import StandIn

NAME = StandIn.VIEWER[0]
# After each of these the server has exchanged the token.
LOST = ("ended_but_reset", "mid_body_reset", "truncated", "malformed_status_line")
# The server does not exchange the token, and does not say that it is bad.
TROUBLE = (408, 425, 429, 500, 503, 403, 404)


@pytest.fixture(scope="module", params=BOTH, ids=str)
def issuer(request: pytest.FixtureRequest) -> Issuer:
    found: Issuer = request.param
    return found


def lose(device: Device, fault: str = "ended_but_reset") -> None:
    """Asks for a renewal whose answer does not arrive."""
    device.server.fault(device.issuer.token, fault, times=1)
    with pytest.raises((sessionkeeper.NetworkError, sessionkeeper.UnexpectedAnswer)):
        device.keeper.renew()
    assert len(device.renewals()) == 1
    assert len(device.refresh_tokens()) == 2


def assert_never_asked_again(device: Device) -> None:
    """In no process, by no way."""
    for keeper in (device.keeper, device.open()):
        with pytest.raises(sessionkeeper.Error):
            keeper.renew()
        assert keeper.restore() is not None
    with Process(device.options) as other:
        other.begin("renew")
        assert "error" in other.end()
    assert len(device.renewals()) == 1


@pytest.mark.parametrize("fault", LOST)
def test_the_session_is_good_until_its_access_ends(device: Device, fault: str) -> None:
    lose(device, fault)
    assert device.keeper.status().state == "signed_in"
    assert not device.keeper.status().renewable
    assert device.me() == NAME
    assert device.alive
    if fault == LOST[0]:
        assert_never_asked_again(device)
    device.keeper.logout()
    assert not device.alive
    assert not any(device.server.check(refresh_token=one) for one in device.refresh_tokens())


def test_then_it_is_over_and_that_is_told_once(server: StandIn, device: Device) -> None:
    lose(device)
    session = device.session
    # By the server's clock, of which this device does not know.
    server.settings(clock_offset=3605)
    with pytest.raises(sessionkeeper.SessionExpired) as caught:
        session.get(device.issuer.me)
    assert caught.value.hint
    with pytest.raises(sessionkeeper.NotSignedIn):
        session.get(device.issuer.me)
    assert device.keeper.status().state == "signed_out"
    assert device.keeper.logout().local == "already_signed_out"
    assert told(device.keeper, "session_expired") == ["ok"]
    assert audited(device.keeper, "session_expired") == ["ok"]
    assert len(device.renewals()) == 1
    # What the lost answer held would live on.
    device.keeper.drain()
    assert not device.alive


def test_a_process_is_killed_between_answer_and_store(server: StandIn, device: Device) -> None:
    server.fault(device.issuer.token, "delay", times=1, delay=2)
    with Process(device.options) as victim:
        victim.begin("renew")
        wait_for(lambda: len(device.refresh_tokens()) == 2)
    assert device.keeper.status().state == "signed_in"
    assert device.me() == NAME
    assert_never_asked_again(device)
    device.keeper.logout()
    assert not device.alive


def test_a_request_that_never_arrived_is_made_again(server: StandIn, device: Device) -> None:
    server.settings(listening=False)
    with pytest.raises(sessionkeeper.NetworkError):
        device.keeper.renew()
    server.settings(listening=True, tls="expired")
    with pytest.raises(sessionkeeper.TlsFailure):
        device.keeper.renew()
    server.settings(tls="")
    assert device.keeper.status().renewable
    assert device.keeper.renew().account.email == NAME
    assert [one["answer"] for one in device.renewals()] == [200]


def test_a_refusal_that_says_nothing_of_the_token(server: StandIn, device: Device) -> None:
    for status in TROUBLE:
        server.fault(device.issuer.token, f"status:{status}", times=1, body='{"error": "later"}')
        with pytest.raises(sessionkeeper.UnexpectedAnswer):
            device.keeper.renew()
    assert device.me() == NAME
    assert device.keeper.renew().account.email == NAME
    answers = [f"status:{status}" for status in TROUBLE]
    assert [one["answer"] for one in device.renewals()] == [*answers, 200]


@pytest.mark.parametrize("issuer", [OIDC], ids=str)
@pytest.mark.parametrize("status", [202, 302, 307, 502, 504])
def test_the_answer_of_something_in_between(server: StandIn, device: Device, status: int) -> None:
    """A gateway that gave up, or wants somebody to log in: the server has exchanged the token."""
    server.fault(device.issuer.token, "with_status", times=1, code=status)
    with pytest.raises(sessionkeeper.UnexpectedAnswer):
        device.keeper.renew()
    assert len(device.refresh_tokens()) == 2
    assert device.me() == NAME
    assert not device.keeper.status().renewable


@pytest.mark.parametrize("issuer", [OIDC], ids=str)
def test_what_the_lost_answer_held_is_ended(server: StandIn, blank: Device) -> None:
    """The device itself sees that its access has ended; it asks for nothing."""
    server.settings(access_lifetime=2)
    blank.log_in()
    lose(blank)
    ends = blank.session.expires_at
    assert ends is not None
    time.sleep(max(0.0, ends + 1.1 - time.time()))
    assert blank.keeper.restore() is None
    assert told(blank.keeper, "session_expired") == ["ok"]
    assert len(blank.renewals()) == 1
    blank.keeper.drain()
    assert not blank.alive
