"""While a code is waited for: how often the server is asked, what goes wrong, who stops it."""

from __future__ import annotations

import threading
import time

import pytest

import sessionkeeper
from tests.python.oauth.conftest import Stage
from tests.python.oauth.issuers import OIDC, WORKOS, Device, told, wait_for
from tests.servers.fixture import StandIn

NAME = StandIn.VIEWER[0]
TOKEN = OIDC.token


class Waiting:
    """A login that another thread waits for."""

    def __init__(self, device: Device) -> None:
        self.began = time.time()
        self.login = device.keeper.start_device_login()
        self.outcome: sessionkeeper.Session | sessionkeeper.Error | None = None
        self.device = device
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def join(self, timeout: float = 30) -> str:
        """The e-mail address of whoever is logged in now, or the code of the error."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "it still waits"
        if isinstance(self.outcome, sessionkeeper.Session):
            return self.outcome.account.email or ""
        assert self.outcome is not None
        return self.outcome.code

    def polls(self) -> list[float]:
        """When the server was asked, in seconds."""
        journal = self.device.server.journal(self.device.issuer.token)
        return [one["at"] - self.began for one in journal]

    def wait_for_polls(self, count: int) -> None:
        wait_for(lambda: len(self.polls()) >= count)

    def assert_polls(self, *wanted: float) -> None:
        """Never earlier, and not much later."""
        found = self.polls()
        assert len(found) == len(wanted), found
        assert all(-0.05 < at - due < 1.5 for at, due in zip(found, wanted)), found

    def _wait(self) -> None:
        try:
            self.outcome = self.login.wait()
        except sessionkeeper.Error as error:
            self.outcome = error


# How often


def test_slow_down_is_obeyed(server: StandIn, blank: Device, stage: Stage) -> None:
    """WorkOS says it again to whoever comes earlier than 5 s later."""
    workos = stage.server(WORKOS)
    server.settings(slow_down=True)
    workos.settings(slow_down_times=1)
    both = [Waiting(blank), Waiting(stage.pool(WORKOS).blank())]
    for waiting in both:
        waiting.wait_for_polls(1)
        waiting.device.server.approve(waiting.login.user_code)
    server.settings(slow_down=False)
    for waiting in both:
        assert waiting.join() == NAME
        waiting.assert_polls(1, 1 + 6)


def test_a_server_that_is_away_is_asked_less_often(server: StandIn, blank: Device) -> None:
    waiting = Waiting(blank)
    server.approve(waiting.login.user_code)
    server.settings(listening=False)
    time.sleep(1.5)
    server.settings(listening=True)
    assert waiting.join() == NAME
    waiting.assert_polls(1 + 2)


def test_the_tokens_got_lost_on_their_way(server: StandIn, blank: Device) -> None:
    """The server does not give them twice; a new code is needed, and said to be."""
    waiting = Waiting(blank)
    server.approve(waiting.login.user_code)
    server.fault(TOKEN, "reset_after_read", times=1)
    assert waiting.join() == "code_expired"
    waiting.assert_polls(1, 1 + 2)
    assert blank.keeper.status().state == "signed_out"


def test_a_code_that_ended_at_the_server_alone(server: StandIn, blank: Device) -> None:
    waiting = Waiting(blank)
    server.settings(clock_offset=601)
    assert waiting.join() == "code_expired"
    waiting.assert_polls(1)


# Who stops it


def test_cancelling_while_waiting(server: StandIn, blank: Device) -> None:
    login = blank.keeper.start_device_login()
    began = time.monotonic()
    with pytest.raises(sessionkeeper.Cancelled):
        login.wait(lambda: True)
    assert time.monotonic() - began < 1.0
    # Nobody asks any more, and whoever agrees to the code now signs nobody in.
    server.approve(login.user_code)
    time.sleep(1.2)
    assert server.journal(TOKEN) == []
    with pytest.raises(sessionkeeper.InvalidInput):
        login.wait()
    assert blank.keeper.status().state == "signed_out"


def test_cancelling_while_the_server_says_nothing(server: StandIn, blank: Device) -> None:
    """The tokens of an answer that comes after all are not kept, and not left alive."""
    login = blank.keeper.start_device_login()
    server.approve(login.user_code)
    server.fault(TOKEN, "delay", times=1, delay=1.2)
    stopped_at: list[float] = []

    def stop() -> bool:
        if server.journal(TOKEN) and not stopped_at:
            stopped_at.append(time.monotonic())
        return bool(stopped_at)

    with pytest.raises(sessionkeeper.Cancelled):
        login.wait(stop)
    assert time.monotonic() - stopped_at[0] < 1.0
    wait_for(lambda: len(server.journal(OIDC.logout)) > 0)
    wait_for(lambda: not server.sessions()[-1]["alive"])
    assert blank.keeper.status().state == "signed_out"


def test_a_logout_ends_the_waiting(server: StandIn, device: Device) -> None:
    waiting = Waiting(device)
    time.sleep(0.2)
    assert device.keeper.logout().remote == "revoked"
    assert waiting.join(1.0) == "cancelled"
    assert device.keeper.status().state == "signed_out"
    assert server.journal(TOKEN) == []


def test_a_code_is_waited_for_once(server: StandIn, blank: Device) -> None:
    waiting = Waiting(blank)
    server.approve(waiting.login.user_code)
    time.sleep(0.2)
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        waiting.login.wait()
    assert caught.value.hint
    assert waiting.join() == NAME
    with pytest.raises(sessionkeeper.InvalidInput):
        waiting.login.wait()
    waiting.assert_polls(1)
    assert told(blank.keeper, "login") == ["ok"]


def test_two_codes_at_once(server: StandIn, blank: Device) -> None:
    """Whoever is later counts; the session of the other one is ended at the server."""
    both = [Waiting(blank), Waiting(blank)]
    for waiting in both:
        server.approve(waiting.login.user_code)
    assert [waiting.join() for waiting in both] == [NAME, NAME]
    assert blank.keeper.outbox() == []
    assert sorted(one["alive"] for one in server.sessions()[-2:]) == [False, True]
    assert blank.me() == NAME
