"""Logging out at the certified server: the tokens are dead there, or nobody says so."""

from __future__ import annotations

import json
import time
from typing import Callable

import pytest

import sessionkeeper
from tests.python.oauth.issuers import BOTH, METADATA, OIDC, Device, audited, told
from tests.python.oauth.processes import Process
from tests.servers.fixture import StandIn
from tests.servers.oidc.device import get

REVOCATION, END = OIDC.logout, "/session/end"


class Copied:
    """The tokens of a session, copied before its end."""

    def __init__(self, device: Device) -> None:
        self._server = device.server
        self._access = device.token
        self._refresh = device.refresh_tokens()[-1]

    def accepted(self) -> list[bool]:
        """By introspection."""
        return [
            self._server.check(jwt=self._access),
            self._server.check(refresh_token=self._refresh),
        ]


def assert_dead(copied: Copied, device: Device) -> None:
    assert copied.accepted() == [False, False]
    assert not device.alive
    assert device.at_server["ended_by"] == ("revocation" if device.issuer is OIDC else "logout")


def test_what_is_sent_and_what_it_does(server: StandIn, device: Device) -> None:
    copied = Copied(device)
    assert copied.accepted() == [True, True]
    session = device.session
    report = device.keeper.logout()
    assert (report.local, report.remote, report.status) == ("cleared", "revoked", 200)
    assert (report.summary_key, report.cookies_cleared) == ("signed_out", ())
    assert_dead(copied, device)
    # Nothing but this.
    journal = server.journal()
    assert [(one["method"], one["path"], one["answer"]) for one in journal] == [
        ("POST", REVOCATION, 200),
        ("POST", REVOCATION, 200),
        ("POST", END, 200),
    ]
    for one in journal:
        assert (one["cookies"], one["bearer"], one["query"]) == ([], False, {})
        assert one["headers"]["content-type"] == "application/x-www-form-urlencoded"
        assert one["scheme"] == "https"
    assert device.keeper.status().state == "signed_out"
    assert device.keeper.outbox() == []
    assert [told(device.keeper, event) for event in ("logout", "revoked")] == [["revoked"]] * 2
    with pytest.raises(sessionkeeper.NotSignedIn):
        session.get(OIDC.me)


@pytest.mark.parametrize("issuer", BOTH, ids=str)
def test_twice_and_when_signed_out(server: StandIn, device: Device) -> None:
    device.keeper.logout()
    server.clear_journal()
    for keeper in (device.keeper, device.open()):
        report = keeper.logout()
        assert (report.local, report.remote) == ("already_signed_out", "nothing_to_revoke")
    assert server.journal() == []
    assert len(audited(device.keeper, "revoked")) == 1


@pytest.mark.parametrize("issuer", BOTH, ids=str)
def test_offline_and_drained_by_another_process(server: StandIn, device: Device) -> None:
    copied = Copied(device)
    server.settings(listening=False)
    began = time.monotonic()
    report = device.keeper.logout(deadline=2)
    assert time.monotonic() - began < 4
    assert (report.local, report.remote, report.status) == ("cleared", "deferred", None)
    assert device.keeper.status().state == "signed_out"
    server.settings(listening=True)
    assert copied.accepted() == [True, True]
    with Process(device.options) as other:
        other.begin("restore")
        assert other.end() == {"value": False}
        other.begin("drain")
        assert other.end() == {"value": 1}
    assert_dead(copied, device)
    assert device.keeper.outbox() == []
    assert audited(device.keeper, "revoked") == ["revoked"]


def test_a_server_that_has_no_time(server: StandIn, device: Device) -> None:
    """RFC 7009 section 2.2.1: after a 503 "the client must assume the token still exists"."""
    copied = Copied(device)
    server.fault(REVOCATION, "status:503", retry_after=120)
    report = device.keeper.logout()
    assert (report.remote, report.status) == ("deferred", 503)
    assert report.expires_at is not None
    (entry,) = device.keeper.outbox()
    assert 115 <= entry.next_attempt_at - time.time() <= 125
    assert copied.accepted() == [True, True]
    server.clear_faults()
    assert device.keeper.drain(due_only=True).revoked == 0
    assert device.keeper.drain().revoked == 1
    assert_dead(copied, device)


@pytest.mark.parametrize("fault", ["reset_after_read", "ended_but_reset", "truncated", "hang"])
def test_an_answer_that_does_not_arrive(server: StandIn, device: Device, fault: str) -> None:
    copied = Copied(device)
    server.fault(REVOCATION, fault)
    assert device.keeper.logout(deadline=1).remote == "deferred"
    server.clear_faults()
    assert device.keeper.drain().revoked == 1
    assert_dead(copied, device)
    assert audited(device.keeper, "revoked") == ["revoked"]


@pytest.mark.parametrize("status", [202, 204, 302, 403, 418])
def test_what_is_no_200_proves_nothing(server: StandIn, device: Device, status: int) -> None:
    copied = Copied(device)
    server.fault(REVOCATION, f"status:{status}", body="revoked")
    assert device.keeper.logout().remote == "unconfirmed"
    assert copied.accepted() == [True, True]
    server.clear_faults()
    assert device.keeper.drain().revoked == 1
    assert_dead(copied, device)


@pytest.mark.parametrize("body", ["", "<h1>Welcome</h1>", '{"error": "server_error"}'])
def test_the_body_of_a_200_is_not_looked_at(server: StandIn, device: Device, body: str) -> None:
    server.fault(REVOCATION, "html_200", body=body)
    assert device.keeper.logout().remote == "revoked"


def test_a_client_that_is_not_known(server: StandIn, device: Device) -> None:
    """A fault of the configuration: not worth asking often, and not to be forgotten."""
    copied = Copied(device)
    server.fault(REVOCATION, "status:401", body='{"error": "invalid_client"}')
    outcomes = [device.keeper.logout().remote]
    for _ in range(2):
        device.keeper.drain()
        outcomes += [entry.last_outcome for entry in device.keeper.outbox()]
    assert outcomes == ["deferred", "deferred", "rejected"]
    (entry,) = device.keeper.outbox()
    assert 80_000 < entry.next_attempt_at - time.time() < 90_000
    assert told(device.keeper, "revocation_rejected") == ["rejected"]
    server.clear_faults()
    assert device.keeper.drain().revoked == 1
    assert_dead(copied, device)


@pytest.mark.parametrize("code", ["invalid_token", "invalid_grant"])
def test_a_token_that_is_not_known(server: StandIn, device: Device, code: str) -> None:
    server.fault(REVOCATION, "status:400", body=json.dumps({"error": code}))
    assert device.keeper.logout().remote == "already_ended"
    assert device.keeper.outbox() == []


def test_access_tokens_that_cannot_be_revoked(server: StandIn, device: Device) -> None:
    """They go with the refresh token, which comes first."""
    copied = Copied(device)
    body = '{"error": "unsupported_token_type"}'
    server.fault(REVOCATION, "delay", times=1, delay=0)
    server.fault(REVOCATION, "status:400", body=body)
    assert device.keeper.logout().remote == "revoked"
    assert [one["answer"] for one in device.requests(REVOCATION)] == ["delay", "status:400"]
    assert_dead(copied, device)


def test_an_endpoint_that_moved(server: StandIn, blank: Device) -> None:
    """After a 404 the metadata are read again, once."""
    metadata = get(server, METADATA)
    old = {**metadata, "revocation_endpoint": f"https://{OIDC.host}/old/revocation"}
    server.fault(METADATA, "json_200", times=1, body=json.dumps(old))
    blank.log_in()
    copied = Copied(blank)
    server.clear_journal()
    assert blank.keeper.logout().remote == "revoked"
    asked = [one["path"] for one in server.journal()]
    assert asked[:3] == ["/old/revocation", METADATA, REVOCATION]
    assert_dead(copied, blank)


def test_an_endpoint_that_is_gone(server: StandIn, device: Device) -> None:
    copied = Copied(device)
    for status in (404, 405, 410):
        server.fault(REVOCATION, f"status:{status}", times=1)
    outcomes = [device.keeper.logout().remote]
    for _ in range(2):
        device.keeper.drain()
        outcomes += [entry.last_outcome for entry in device.keeper.outbox()]
    assert outcomes == ["deferred", "deferred", "rejected"]
    assert len(server.journal(METADATA)) == 3
    assert device.keeper.drain().revoked == 1
    assert_dead(copied, device)


# The issuer's own session


def test_end_session_by_get_where_post_is_not_taken(server: StandIn, device: Device) -> None:
    server.settings(end_session_post=False)
    assert device.keeper.logout().remote == "revoked"
    post, get = server.journal(END)
    assert (post["method"], post["query"], post["answer"]) == ("POST", {}, 404)
    assert (get["method"], get["answer"]) == ("GET", 200)
    assert set(get["query"]) == {"client_id", "id_token_hint"}
    assert get["session"] is not None


def test_what_end_session_answers_takes_nothing_back(server: StandIn, device: Device) -> None:
    server.fault(END, "status:400", body='{"error": "invalid_request"}')
    assert device.keeper.logout().remote == "revoked"
    assert device.keeper.outbox() == []


def test_end_session_is_made_up_for(server: StandIn, device: Device) -> None:
    copied = Copied(device)
    server.fault(END, "status:503", times=1)
    assert device.keeper.logout().remote == "deferred"
    assert_dead(copied, device)
    assert device.keeper.drain().revoked == 1
    assert [one["answer"] for one in server.journal(END)] == ["status:503", 200]


def test_there_is_no_way_to_log_out_everywhere(
    server: StandIn, devices: Callable[[int], list[Device]]
) -> None:
    """The issuer ends one login and neither lists nor ends another's; so nothing is offered."""
    device, other = devices(2)
    (offered,) = [one for one in sessionkeeper.providers() if one.id == "oidc"]
    assert not offered.everywhere
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        device.keeper.logout(everywhere=True)
    assert caught.value.hint
    assert (device.alive, other.alive) == (True, True)
    assert not server.journal(END)
