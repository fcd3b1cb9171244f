"""When the service wakes, what it then looks after, and who is told, over stand-ins for Kodi's
modules, with a clock of the test's own.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Callable

import pytest

from sessionkeeper import Event, RegisteredVault
from sessionkeeper.errors import NetworkError, StorageError
from tests.kodi.shim import Shim

RADIO = "script.radio"


class Keeper:
    """A vault in which nothing happens by itself."""

    def __init__(self, addon: str = "") -> None:
        self.addon = addon
        self.kept: list[Event] = []
        self.looks = self.looked_after = 0
        self.drained: list[bool] = []
        self.upkeeps: Callable[[], float | None] = lambda: None

    def happens(self, event: str) -> None:
        self.kept.append(Event(len(self.kept) + 1, event, "service", "1", "ok", self.addon))

    def events(self, after: int) -> list[Event]:
        self.looks += 1
        return self.kept[after:]

    def newest_event(self) -> int:
        return len(self.kept)

    def drain(self, *, due_only: bool) -> None:
        self.drained.append(due_only)

    def upkeep(self) -> SimpleNamespace:
        self.looked_after += 1
        return SimpleNamespace(next_at=self.upkeeps())


class Box:
    """A Kodi that runs for some seconds of its own clock, with the service in it."""

    def __init__(self, shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shim = shim
        self.now = 1_000_000.0
        self.shared, self.radio = Keeper(), Keeper(RADIO)
        self.vaults = {"/radio": self.radio}
        # What goes wrong when the vaults are listed, or opened.
        self.list_fails: StorageError | None = None
        self.opening_fails: StorageError | None = None
        self.published: list[Event] = []
        self.pauses: list[float] = []
        self.shown = 0
        self.module = shim.load("service")
        clock = SimpleNamespace(monotonic=lambda: self.now, time=lambda: self.now)
        monkeypatch.setattr(self.module, "time", clock)
        for name, found in (
            ("settings", {"open_any": self._open, "open_vault": self._open_vault}),
            ("private_vaults", {"registered": self._registered}),
            ("status_display", {"show": self._show}),
            ("post_logout", {"finish": lambda _: None}),
            ("logout", {"announce_confirmed": lambda _: None}),
        ):
            stand_in = SimpleNamespace(clear_proxy_password=lambda: False, **found)
            monkeypatch.setattr(self.module, name, stand_in)
        monkeypatch.setattr(self.module.log, "forward", lambda _: None)
        monkeypatch.setattr(self.module.notifications, "publish", self.published.append)
        monkeypatch.setattr(self.shared, "status", lambda: None, raising=False)
        self.service = self.module.Service()

    def run(self, seconds: float) -> list[float]:
        """The pauses that the service made."""
        end = self.now + seconds
        self.pauses = []

        def wait(pause: float) -> bool:
            self.pauses.append(pause)
            self.now += pause
            return self.now >= end

        self.shim.waits = wait
        self.service.run()
        return self.pauses

    def _open(self, _: Any) -> tuple[Keeper, bool]:
        if self.opening_fails:
            raise self.opening_fails
        return self.shared, True

    def _registered(self, shared: Keeper) -> list[RegisteredVault]:
        assert shared is self.shared
        if self.list_fails:
            raise self.list_fails
        return [RegisteredVault(one.addon, place, "") for place, one in self.vaults.items()]

    def _open_vault(self, vault: RegisteredVault, _: Any) -> Keeper:
        if self.opening_fails:
            raise self.opening_fails
        return self.vaults[vault.data_dir]

    def _show(self, *_: Any) -> None:
        self.shown += 1


@pytest.fixture
def box(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> Box:
    shim.addons = {RADIO: "Radio"}
    return Box(shim, monkeypatch)


def test_idle_it_wakes_once_in_two_seconds_and_asks_for_the_plan_twice_a_minute(box: Box) -> None:
    box.run(10)
    before = box.shared.looked_after
    assert set(box.run(120)) == {2.0}
    assert 3 <= box.shared.looked_after - before <= 5
    assert box.radio.looked_after == box.shared.looked_after


def test_with_its_settings_on_the_screen_it_looks_twice_a_second(box: Box) -> None:
    box.shim.visible = "addonsettings"
    assert set(box.run(10)[1:]) == {0.5}
    box.shim.visible = ""
    assert set(box.run(10)[4:]) == {2.0}


def test_what_is_due_is_done_when_it_is_due(box: Box) -> None:
    box.radio.upkeeps = lambda: box.now + 5
    box.run(20)
    assert box.radio.looked_after == 4
    assert box.shared.looked_after == 1


@pytest.mark.parametrize("error", [NetworkError("away"), ZeroDivisionError()])
def test_one_vaults_failure_stops_no_other(box: Box, error: Exception) -> None:
    def fail() -> None:
        raise error

    box.shared.upkeeps = fail
    box.run(130)
    assert box.radio.looked_after >= 3
    # Once a minute.
    assert box.shared.looked_after == 3
    assert len(box.shim.told) == isinstance(error, ZeroDivisionError)


def test_events_of_every_vault_are_told_once_with_the_add_ons_id(box: Box) -> None:
    # What happened before the service began was told by the one before it.
    box.shared.happens("logout")
    box.run(4)
    box.shared.happens("login")
    box.radio.happens("revoked")
    box.radio.happens("session_expired")
    box.run(90)
    told = [(event.event, event.addon) for event in box.published]
    assert told == [("login", ""), ("revoked", RADIO), ("session_expired", RADIO)]
    assert box.shim.told == [box.shim.text("told_session_expired")]
    assert box.shown > 0


def test_a_vault_that_comes_later_has_all_its_events_told(box: Box) -> None:
    box.vaults = {}
    box.run(4)
    box.radio.happens("login")
    box.vaults = {"/radio": box.radio}
    box.run(60)
    assert [(event.event, event.addon) for event in box.published] == [("login", RADIO)]


def test_a_new_address_is_a_reason_to_tell_the_servers(box: Box) -> None:
    box.run(10)
    assert False not in [*box.shared.drained, *box.radio.drained]
    box.shim.address = "198.51.100.7"
    box.run(10)
    for keeper in (box.shared, box.radio):
        assert keeper.drained.count(False) == 1


@pytest.mark.parametrize("fails", ["list_fails", "opening_fails"])
def test_what_cannot_be_read_for_a_while_stops_nothing_and_is_not_told_twice(
    box: Box, fails: str
) -> None:
    box.radio.happens("login")
    box.run(4)
    box.shared.happens("revoked")
    box.radio.happens("session_expired")
    setattr(box, fails, StorageError("busy"))
    # What is set anew is opened anew.
    box.service.monitor.onSettingsChanged()
    before = box.shared.looked_after, box.radio.looked_after
    box.run(200)
    setattr(box, fails, None)
    box.run(200)
    assert [event.event for event in box.published] == ["revoked", "session_expired"]
    assert box.shared.looked_after - before[0] > 10
    assert box.radio.looked_after - before[1] > 10


def test_a_vault_that_is_gone_is_left(box: Box) -> None:
    box.run(4)
    box.vaults = {}
    box.run(40)
    before = box.radio.looks
    box.run(40)
    assert box.radio.looks == before
