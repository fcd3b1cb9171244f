"""Renewing with a refresh token that serves once: one request for all who want it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest

import sessionkeeper
from tests.python.oauth.issuers import BOTH, Device, Issuer, audited, told, wait_for
from tests.python.oauth.processes import Process
from tests.servers.fixture import StandIn

pytestmark = pytest.mark.parametrize("issuer", BOTH, ids=str)

NAME = StandIn.VIEWER[0]
CALLERS = 5


def at_once(device: Device, act: Callable[[sessionkeeper.Keeper], object]) -> list[object]:
    """What five callers get, each with a keeper of its own."""
    barrier = threading.Barrier(CALLERS)

    def call(keeper: sessionkeeper.Keeper) -> object:
        barrier.wait()
        return act(keeper)

    with ThreadPoolExecutor(CALLERS) as threads:
        return list(threads.map(call, [device.open() for _ in range(CALLERS)]))


def test_each_renewal_uses_the_newest_token(
    server: StandIn, issuer: Issuer, device: Device
) -> None:
    tokens = [device.token]
    for _ in range(3):
        session = device.keeper.renew()
        assert session.account.email == NAME
        tokens.append(device.token)
    assert len(set(tokens)) == 4
    assert len(device.refresh_tokens()) == 4
    assert [one["answer"] for one in device.renewals()] == [200] * 3
    assert not any(one["cookies"] or one["bearer"] for one in device.renewals())
    assert device.me() == NAME
    assert server.check(refresh_token=device.refresh_tokens()[-1])
    assert not server.check(refresh_token=device.refresh_tokens()[-2])
    assert told(device.keeper, "renewed") == ["ok"] * 3


def test_five_threads_make_one_renewal(server: StandIn, issuer: Issuer, device: Device) -> None:
    server.fault(issuer.token, "delay", delay=0.5)
    ends = at_once(device, lambda keeper: keeper.renew().expires_at)
    assert len(device.renewals()) == 1
    assert len(set(ends)) == 1
    assert device.me() == NAME
    assert audited(device.keeper, "renewed") == ["ok"]


def test_five_processes_make_one_renewal(server: StandIn, issuer: Issuer, device: Device) -> None:
    with ThreadPoolExecutor(CALLERS) as threads:
        processes = list(threads.map(lambda _: Process(device.options), range(CALLERS)))
    try:
        server.fault(issuer.token, "delay", delay=1)
        for process in processes:
            process.begin("renew")
        answers = [process.end() for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert len(device.renewals()) == 1
    assert len({answer["value"] for answer in answers}) == 1
    assert device.me() == NAME
    assert audited(device.keeper, "renewed") == ["ok"]


def test_five_requests_after_the_end_make_one_renewal(
    server: StandIn, issuer: Issuer, device: Device
) -> None:
    """The server says 401 to all of them; each is sent once more."""
    # By the server's clock, of which this device does not know.
    server.settings(clock_offset=3605)

    def ask(keeper: sessionkeeper.Keeper) -> object:
        session = keeper.session
        assert session is not None
        return session.get(issuer.me).json()["email"]

    assert at_once(device, ask) == [NAME] * CALLERS
    assert len(device.renewals()) == 1
    assert device.at_server["alive"]


def test_five_callers_of_a_session_that_is_over(
    server: StandIn, issuer: Issuer, device: Device
) -> None:
    """One hears it from the server; the session is told to be over once."""
    server.end_session(device.id)

    def ask(keeper: sessionkeeper.Keeper) -> object:
        try:
            return keeper.renew()
        except (sessionkeeper.SessionExpired, sessionkeeper.NotSignedIn) as error:
            return error.code

    outcomes = at_once(device, ask)
    assert outcomes.count("session_expired") == 1
    assert outcomes.count("not_signed_in") == CALLERS - 1
    assert len(device.renewals()) == 1
    assert told(device.keeper, "session_expired") == ["ok"]
    assert audited(device.keeper, "session_expired") == ["ok"]


def test_a_logout_comes_while_renewing(server: StandIn, issuer: Issuer, device: Device) -> None:
    """It wins, and the tokens that come too late are revoked."""
    server.fault(issuer.token, "delay", times=1, delay=0.7)
    outcomes: list[object] = []

    def renew() -> None:
        try:
            outcomes.append(device.keeper.renew())
        except sessionkeeper.Error as error:
            outcomes.append(error.code)

    thread = threading.Thread(target=renew)
    thread.start()
    wait_for(lambda: bool(device.renewals()))
    other = device.open()
    report = other.logout()
    assert report.local == "cleared"
    thread.join()
    assert outcomes[0] in ("not_signed_in", "cancelled")
    time.sleep(0.9)
    wait_for(lambda: other.drain().entries == ())
    assert other.status().state == "signed_out"
    assert not device.alive
    assert len(device.refresh_tokens()) == 2
    assert not any(server.check(refresh_token=one) for one in device.refresh_tokens())
    assert len(audited(other, "logout")) == 1
