"""An issuer that nobody here wrote either, and that does much otherwise: opaque tokens, no ID token
at the login, the revocation endpoint in RFC 8414's metadata alone."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.oauth.issuers import DJANGO, Device, Issuer, audited
from tests.servers.fixture import StandIn

METADATA = "/o/.well-known/openid-configuration"
METADATA_TOO = "/.well-known/oauth-authorization-server/o"
USERINFO = "/o/userinfo/"
NAME, OTHER = StandIn.VIEWER[0], StandIn.NON_ASCII[0]


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return DJANGO


def asked(server: StandIn) -> list[str]:
    return [one["path"] for one in server.journal()]


def test_from_the_code_to_the_logout(server: StandIn, blank: Device) -> None:
    server.clear_journal()
    session = blank.log_in()
    known = next(one for one in server.users() if one["email"] == NAME)
    account = session.account
    assert (account.id, account.email, account.name) == (known["id"], NAME, known["name"])
    assert asked(server)[:3] == [METADATA, METADATA_TOO, DJANGO.code]
    assert asked(server)[-1] == USERINFO
    first = blank.token
    assert blank.keeper.renew().account == account
    assert blank.token != first
    assert blank.me() == NAME
    assert [one["answer"] for one in blank.renewals()] == [200]
    assert blank.keeper.logout().remote == "revoked"
    assert not blank.alive
    assert not server.check(jwt=first)
    assert blank.keeper.outbox() == []


def test_two_people_are_two_accounts(server: StandIn, blank: Device) -> None:
    """They were one, and the second login ended the first one's session at the server."""
    blank.log_in()
    first = blank.id
    blank.log_in(StandIn.NON_ASCII)
    assert blank.keeper.outbox() == []
    assert [one["alive"] for one in server.sessions() if one["id"] in (first, blank.id)] == [
        True,
        True,
    ]
    emails = {entry.account.email: entry.account.id for entry in blank.keeper.accounts()}
    assert set(emails) == {NAME, OTHER}
    assert blank.me() == OTHER
    blank.keeper.switch(emails[NAME])
    assert blank.me() == NAME


def test_a_second_login_of_the_same_person_replaces_the_first(
    server: StandIn, blank: Device
) -> None:
    blank.log_in()
    first = blank.id
    blank.log_in()
    blank.keeper.drain()
    alive = {one["id"]: one["alive"] for one in server.sessions()}
    assert (alive[first], alive[blank.id]) == (False, True)
    assert len(blank.keeper.accounts()) == 1


@pytest.mark.parametrize("fault", ["status:503", "html_200", "reset_after_read"])
def test_nobody_says_who_it_is(server: StandIn, blank: Device, fault: str) -> None:
    """A login all the same; and nobody else's session is taken for it."""
    server.fault(USERINFO, fault)
    accounts = {blank.log_in(who).account.id for who in (StandIn.VIEWER, StandIn.NON_ASCII)}
    assert len(accounts) == 2
    assert blank.keeper.outbox() == []
    server.clear_faults()
    assert blank.me() == OTHER


def test_the_endpoint_that_no_document_names(server: StandIn, blank: Device) -> None:
    keeper = blank.open(provider="oidc")
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="device_authorization") as caught:
        keeper.start_device_login()
    assert "oauth.device_authorization_endpoint" in caught.value.hint


def test_a_logout_waits_for_the_server(server: StandIn, device: Device) -> None:
    server.settings(listening=False)
    assert device.keeper.logout().remote == "deferred"
    server.settings(listening=True)
    assert device.alive
    assert device.keeper.drain().revoked == 1
    assert not device.alive
    assert audited(device.keeper, "revoked") == ["revoked"]


@pytest.mark.parametrize("fault", ["status:503", "status:404"])
def test_a_refused_revocation_is_not_called_revoked(
    server: StandIn, device: Device, fault: str
) -> None:
    server.fault(DJANGO.logout, fault, times=1)
    assert device.keeper.logout().remote in ("deferred", "unconfirmed")
    assert device.alive
    assert device.keeper.drain().revoked == 1
    assert not device.alive


def test_a_session_that_somebody_else_ended(server: StandIn, device: Device) -> None:
    server.end_session(device.id)
    with pytest.raises(sessionkeeper.SessionExpired):
        device.keeper.renew()
    assert device.keeper.status().state == "signed_out"
