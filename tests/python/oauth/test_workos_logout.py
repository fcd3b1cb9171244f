"""Logging out at WorkOS: its redirect proves nothing; that a renewal is refused does."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

import sessionkeeper
from tests.python.oauth.issuers import WORKOS, Device, Issuer, audited, told
from tests.servers.fixture import StandIn

LOGOUT, TOKEN = WORKOS.logout, WORKOS.token


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return WORKOS


def assert_dead(device: Device) -> None:
    assert not device.alive
    assert device.at_server["ended_by"] == "logout"
    assert not any(device.server.check(refresh_token=one) for one in device.refresh_tokens())
    assert device.keeper.outbox() == []
    assert audited(device.keeper, "revoked") == ["revoked"]


def asked(device: Device) -> list[tuple[str, Any]]:
    return [(one["path"], one["answer"]) for one in device.server.journal()]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"reuse_grace": 30, "reuse_ends_session": False},
        {"homepage": ""},
        {"homepage": "https://elsewhere.example/"},
    ],
    ids=["strict", "as the real one", "no homepage", "a homepage elsewhere"],
)
def test_the_refresh_token_is_proved_to_be_dead(
    server: StandIn, device: Device, settings: dict[str, Any]
) -> None:
    server.settings(**settings)
    token = device.token
    assert server.check(jwt=token)
    report = device.keeper.logout()
    assert (report.local, report.remote, report.status) == ("cleared", "revoked", 302)
    assert report.reason == "the server refuses to renew the old session"
    assert asked(device) == [(LOGOUT, 302), (TOKEN, 400)]
    assert_dead(device)
    assert not server.check(jwt=token)
    assert told(device.keeper, "revoked") == ["revoked"]


def test_the_address_holds_the_session_and_nothing_else(server: StandIn, device: Device) -> None:
    payload = device.token.split(".")[1]
    sid = json.loads(base64.urlsafe_b64decode(payload + "=="))["sid"]
    device.keeper.logout()
    logout, probe = server.journal()
    assert (logout["method"], logout["host"]) == ("GET", "api.workos.com")
    assert logout["query"] == {"session_id": sid}
    assert (logout["cookies"], logout["bearer"]) == ([], False)
    assert (probe["method"], probe["query"], probe["cookies"]) == ("POST", {}, [])


def test_also_after_renewals_and_with_an_access_token_that_ended(
    server: StandIn, blank: Device
) -> None:
    server.settings(access_lifetime=1)
    blank.log_in()
    blank.keeper.renew()
    server.clear_journal()
    assert blank.keeper.logout().remote == "revoked"
    assert_dead(blank)


@pytest.mark.parametrize("fault", ["status:302", "html_200", "status:404", "status:422"])
def test_a_session_that_lives_on_is_not_called_revoked(
    server: StandIn, device: Device, fault: str
) -> None:
    """The probe is answered with fresh tokens; the next logout uses these."""
    server.fault(LOGOUT, fault)
    report = device.keeper.logout()
    assert report.remote == ("deferred" if fault == "status:404" else "alive")
    assert device.alive
    assert report.expires_at is not None
    assert device.keeper.status().state == "signed_out"
    server.clear_faults()
    assert device.keeper.drain().revoked == 1
    assert_dead(device)


def test_a_session_that_is_found_alive_is_logged_out_again_at_once(
    server: StandIn, device: Device
) -> None:
    server.fault(LOGOUT, "html_200", times=1)
    assert device.keeper.logout().remote == "revoked"
    assert asked(device) == [(LOGOUT, "html_200"), (TOKEN, 200), (LOGOUT, 302), (TOKEN, 400)]
    assert_dead(device)


def test_a_probe_that_got_lost_is_not_sent_again(server: StandIn, device: Device) -> None:
    """The logout is, at once: the session has ended, and nobody can prove it any more."""
    server.fault(LOGOUT, "html_200", times=1)
    server.fault(TOKEN, "ended_but_reset", times=1)
    assert device.keeper.logout().remote == "unconfirmed"
    assert len(device.refresh_tokens()) == 2
    assert not device.alive
    assert device.keeper.drain().unconfirmed == 0
    assert [path for path, _ in asked(device)] == [LOGOUT, TOKEN, LOGOUT]
    (entry,) = device.keeper.outbox()
    assert (entry.last_outcome, entry.next_attempt_at) == ("unconfirmed", None)
    assert entry.expires_at is not None


@pytest.mark.parametrize("fault", [("status:503", {}), ("with_status", {"code": 503})], ids=str)
def test_a_token_that_may_be_exchanged_behind_an_error_is_not_taken_for_dead(
    server: StandIn, device: Device, fault: tuple[str, dict[str, int]]
) -> None:
    """Nor is it sent again: where it was exchanged, another one lives."""
    server.fault(LOGOUT, "html_200")
    server.fault(TOKEN, fault[0], times=1, **fault[1])
    assert device.keeper.logout().remote == "unconfirmed"
    device.keeper.drain()
    assert device.alive
    (entry,) = device.keeper.outbox()
    assert entry.last_outcome == "unconfirmed"
    assert len(device.renewals()) == 1


def test_workos_is_down(server: StandIn, device: Device) -> None:
    server.settings(workos_down=True)
    report = device.keeper.logout()
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert report.summary_key == "signed_out_deferred"
    assert device.keeper.drain().deferred == 1
    server.settings(workos_down=False)
    assert device.alive
    assert device.keeper.drain().revoked == 1
    assert_dead(device)


def test_there_is_no_way_to_log_out_everywhere(server: StandIn, device: Device) -> None:
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        device.keeper.logout(everywhere=True)
    assert caught.value.hint
    assert device.alive
    assert device.me() == StandIn.VIEWER[0]
