"""A session that somebody else ended: the next request notices, and it is told once."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

import sessionkeeper
from tests.python.oauth.issuers import BOTH, Device, Issuer, audited, told
from tests.python.oauth.processes import Process
from tests.servers.fixture import StandIn

pytestmark = pytest.mark.parametrize("issuer", BOTH, ids=str)


def assert_over(device: Device) -> None:
    """Logged out here, in every process, and told once."""
    for keeper in (device.keeper, device.open()):
        assert keeper.status().state == "signed_out"
        assert keeper.restore() is None
        with pytest.raises(sessionkeeper.NotSignedIn):
            keeper.renew()
        assert keeper.logout().local == "already_signed_out"
    with Process(device.options) as other:
        for verb, answer in (("restore", {"value": False}), ("renew", {"error": "not_signed_in"})):
            other.begin(verb)
            assert other.end() == answer
    assert told(device.keeper, "session_expired") == ["ok"]
    assert told(device.keeper, "logout") == []
    assert audited(device.keeper, "session_expired") == ["ok"]


def test_a_request_notices(server: StandIn, issuer: Issuer, device: Device) -> None:
    session = device.session
    server.end_session(device.id)
    with pytest.raises(sessionkeeper.SessionExpired) as caught:
        session.get(issuer.me)
    assert caught.value.hint
    # The server refused the access, then the renewal, for good.
    asked = [(one["path"], one["answer"]) for one in device.requests()]
    assert asked == [(urlsplit(issuer.me).path, 401), (issuer.token, 400)]
    for _ in range(2):
        with pytest.raises(sessionkeeper.NotSignedIn):
            session.get(issuer.me)
    assert len(device.requests()) == len(asked)
    assert_over(device)


def test_nothing_is_left_to_do(server: StandIn, device: Device) -> None:
    """The server has said that the session is over; it need not be told for 400 days."""
    server.end_session(device.id)
    with pytest.raises(sessionkeeper.SessionExpired):
        device.me()
    assert device.keeper.drain().entries == ()
    assert device.keeper.status().pending_revocations == 0


def test_a_renewal_notices(server: StandIn, device: Device) -> None:
    server.end_session(device.id)
    with pytest.raises(sessionkeeper.SessionExpired):
        device.keeper.renew()
    assert_over(device)


def test_a_logout_is_the_first_to_notice(server: StandIn, device: Device) -> None:
    server.end_session(device.id)
    report = device.keeper.logout()
    assert (report.local, report.summary_key) == ("cleared", "signed_out")
    assert device.keeper.outbox() == []
    assert told(device.keeper, "session_expired") == []


def test_the_next_login_is_a_new_session(server: StandIn, device: Device) -> None:
    server.end_session(device.id)
    with pytest.raises(sessionkeeper.SessionExpired):
        device.me()
    device.log_in()
    device.keeper.drain()
    assert device.alive
    assert device.me() == StandIn.VIEWER[0]
