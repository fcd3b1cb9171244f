"""Kodi never waits: what other threads see while a long operation of the real module runs."""

from __future__ import annotations

import threading
import time
from typing import Callable

import pytest

import sessionkeeper
from sessionkeeper import operation
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
# How long the server takes for a logout, in seconds.
PAUSE = 1.5


@pytest.fixture
def keeper(
    angel: StandIn, open_keeper: Callable[..., sessionkeeper.Keeper]
) -> sessionkeeper.Keeper:
    """Logged in at a server that takes its time for a logout."""
    keeper = open_keeper()
    keeper.login(NAME, PASSWORD)
    angel.fault("/logout", "delay", delay=PAUSE)
    return keeper


def test_other_threads_run_while_one_waits(keeper: sessionkeeper.Keeper) -> None:
    done = threading.Event()
    ticks = []

    def tick() -> None:
        while not done.wait(0.01):
            ticks.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    ticker.start()
    assert keeper.logout().remote == "revoked"
    done.set()
    ticker.join()
    # Kept for each slice of 100 ms, the GIL would leave room for some 30.
    assert len(ticks) > 60, f"{len(ticks)} ticks in {PAUSE} s"


def test_the_module_waits_no_longer_than_a_slice(
    keeper: sessionkeeper.Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "SLICE_MS", 10_000)
    start = time.monotonic()
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic() - start)
        return len(asked) == 3

    assert keeper.logout(stop=stop).remote == "deferred"
    assert len(asked) == 3
    assert time.monotonic() - start < PAUSE
