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
    """The probe is answered with fresh tokens; the next try uses these."""
    server.fault(LOGOUT, fault, times=1)
    report = device.keeper.logout()
    assert report.remote in ("unconfirmed", "deferred")
    assert device.alive
    assert report.expires_at is not None
    assert device.keeper.status().state == "signed_out"
    assert device.keeper.drain().revoked == 1
    assert_dead(device)


def test_a_probe_that_got_lost_is_not_sent_again(server: StandIn, device: Device) -> None:
    """The session has ended, and nobody could prove it."""
    server.fault(LOGOUT, "html_200", times=1)
    server.fault(TOKEN, "ended_but_reset", times=1)
    assert device.keeper.logout().remote == "unconfirmed"
    assert len(device.refresh_tokens()) == 2
    assert device.keeper.drain().unconfirmed == 1
    assert [path for path, _ in asked(device)] == [LOGOUT, TOKEN, LOGOUT]
    assert not device.alive
    (entry,) = device.keeper.outbox()
    assert (entry.last_outcome, entry.expires_at is not None) == ("unconfirmed", True)


def test_a_probe_that_was_put_off_is_sent_again(server: StandIn, device: Device) -> None:
    server.fault(LOGOUT, "delay", times=1, delay=0)
    server.fault(TOKEN, "status:503", times=1)
    assert device.keeper.logout().remote == "unconfirmed"
    assert device.keeper.drain().revoked == 1
    assert_dead(device)


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
