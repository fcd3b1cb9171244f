"""The stand-in for an OpenID Connect issuer: what ends a login, and what the journal shows."""

from __future__ import annotations

import http.client
import urllib.parse
from typing import Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.oidc import find_reuse, install
from tests.servers.oidc.device import (
    CONFIDENTIAL,
    ISSUER,
    Device,
    browser,
    me,
)

LACK = install.missing()
pytestmark = pytest.mark.skipif(bool(LACK), reason=LACK)


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("oidc").reset()


@pytest.fixture
def device(server: StandIn) -> Device:
    return Device(server)


# Logout


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_revocation_ends_the_login(server: StandIn, device: Device, kind: str) -> None:
    tokens = device.log_in()
    assert device.revoke(tokens[kind], kind) == (200, None)
    assert not server.check(jwt=tokens["access_token"])
    assert not server.check(refresh_token=tokens["refresh_token"])
    assert me(server, tokens["access_token"])[0] == 401
    assert device.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"
    (session,) = server.sessions()
    assert (session["alive"], session["ended_by"]) == (False, "revocation")


def test_revocation_of_something_else_is_200_too(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    assert device.revoke("never.seen") == (200, None)
    assert device.revoke(tokens["refresh_token"], "access_token")[0] == 200, "a wrong hint"
    assert device.revoke(tokens["refresh_token"])[0] == 200, "for the second time"
    tokens = device.log_in()
    assert Device(server, CONFIDENTIAL).revoke(tokens["refresh_token"])[0] == 200
    assert server.check(refresh_token=tokens["refresh_token"]), "another client's"


def test_revoking_a_used_refresh_token_ends_the_login(server: StandIn, device: Device) -> None:
    first = device.log_in()
    _, second = device.refresh(first["refresh_token"])
    assert device.revoke(first["refresh_token"])[0] == 200
    assert not server.check(refresh_token=second["refresh_token"])
    assert find_reuse(server) == 0


def test_end_session_without_cookies_is_a_page(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    person = browser(server)
    page = person.open(f"{ISSUER}/session/end", {"id_token_hint": tokens["id_token"]})
    assert (page.status, page.title) == (200, "Submitting Callback")
    (form,) = page.forms
    page = person.submit(page, form)
    assert page.title == "Signed out"
    assert server.sessions()[-1]["alive"], "it ends a browser's session, and there was none"
    assert server.check(refresh_token=tokens["refresh_token"])


def test_end_session_hint_is_checked(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    server.settings(clock_offset=4000)
    page = browser(server).open(f"{ISSUER}/session/end", {"id_token_hint": tokens["id_token"]})
    assert page.status == 200, "an expired ID token will do"
    head, body, _ = tokens["id_token"].split(".")
    page = browser(server).open(f"{ISSUER}/session/end", {"id_token_hint": f"{head}.{body}.AAAA"})
    assert page.status == 400


def test_end_session_may_refuse_post(server: StandIn, device: Device) -> None:
    server.settings(end_session_post=False)
    hint = {"id_token_hint": device.log_in()["id_token"]}
    address = f"{ISSUER}/session/end"
    assert browser(server).open(address, hint).status == 404
    page = browser(server).open(f"{address}?{urllib.parse.urlencode(hint)}")
    assert (page.status, page.title) == (200, "Submitting Callback")


def test_end_session_in_the_browser_that_signed_in(server: StandIn, device: Device) -> None:
    person = browser(server)
    page = person.submit(
        person.open(f"{ISSUER}/device"), "op.deviceInputForm", user_code=device.begin()["user_code"]
    )
    page = person.submit(page, "op.deviceConfirmForm")
    page = person.submit(page, "login", username=server.VIEWER[0], password=server.VIEWER[1])
    assert person.submit(page, "consent").title == "Signed in"
    tokens = device.poll()[1]
    page = person.open(f"{ISSUER}/session/end", {"id_token_hint": tokens["id_token"]})
    assert page.title == "Sign out?"
    assert person.submit(page, "op.logoutForm", "logout").title == "Signed out"
    assert server.check(refresh_token=tokens["refresh_token"]), "offline_access outlives it"


def test_somebody_else_ends_it(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    server.end_session(server.sessions()[-1]["id"])
    assert not server.check(jwt=tokens["access_token"])
    assert device.refresh(tokens["refresh_token"])[1]["error"] == "invalid_grant"
    assert server.sessions()[-1]["ended_by"] == "somebody else"
    assert find_reuse(server) == 0


# The front: journal and faults


def test_journal_knows_the_login_of_a_token(server: StandIn, device: Device) -> None:
    first = device.log_in()
    session = server.sessions()[-1]["id"]
    _, second = device.refresh(first["refresh_token"])
    server.clear_journal()
    me(server, second["access_token"])
    browser(server).open(f"{ISSUER}/session/end", {"id_token_hint": second["id_token"]})
    device.revoke(second["refresh_token"])
    device.refresh(first["refresh_token"])
    device.refresh("never seen")
    journal = [(one["path"], one["session"], one["answer"]) for one in server.journal()]
    assert journal == [
        ("/me", session, 200),
        ("/session/end", session, 200),
        ("/token/revocation", session, 200),
        ("/token", session, 400),
        ("/token", None, 400),
    ]
    assert server.journal()[3]["grant_type"] == "refresh_token"
    assert {one["host"] for one in server.journal()} == {"op.oidc-demo.example"}


def test_approval_and_check_are_not_in_the_journal(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    server.check(refresh_token=tokens["refresh_token"])
    assert [one["path"] for one in server.journal()] == ["/device/auth", "/token"]


def test_a_fault_decides_whether_the_login_ends(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    server.fault("/token/revocation", "reset_after_read", times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        device.revoke(tokens["refresh_token"])
    assert server.sessions()[-1]["alive"]
    server.fault("/token/revocation", "with_status", code=503, times=1)
    assert device.revoke(tokens["refresh_token"])[0] == 503
    assert server.check(refresh_token=tokens["refresh_token"])
    server.fault("/token/revocation", "ended_but_reset", times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        device.revoke(tokens["refresh_token"])
    assert not server.sessions()[-1]["alive"]


def test_a_renewal_whose_answer_is_lost_is_carried_out(server: StandIn, device: Device) -> None:
    tokens = device.log_in()
    server.fault("/token", "reset_after_read", times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        device.refresh(tokens["refresh_token"])
    assert not server.check(refresh_token=tokens["refresh_token"])
    assert server.sessions()[-1]["alive"]
    assert find_reuse(server) == 0
