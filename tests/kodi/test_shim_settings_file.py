"""Nobody writes the settings file while Kodi opens the dialog: it would read half a file, and show
a dialog without settings.
"""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from tests.kodi.shim import Shim


@pytest.fixture
def settings_file(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> Any:
    """With a settings object of which each save tells what the home window's property was."""
    module = shim.load("settings_file")
    saved: list[str] = []
    addon = SimpleNamespace(
        getSetting=lambda _: "",
        setSetting=lambda *_: saved.append(shim.properties.get(module.OPENING, "")),
    )
    monkeypatch.setattr(module, "_fresh", lambda: addon)
    module.saved = saved
    return module


def test_the_dialog_is_waited_for(shim: Shim, settings_file: Any) -> None:
    held: list[bool] = []

    def appear(_: float) -> bool:
        held.append(settings_file.OPENING in shim.properties)
        if len(held) == 3:
            shim.visible = "addonsettings"
        return False

    shim.waits = appear
    settings_file.open_dialog(shim.monitor())
    assert shim.builtins == ["Addon.OpenSettings(script.sessionkeeper)"]
    assert held == [True] * 3
    assert shim.properties == {}


@pytest.mark.parametrize(("kodi_ends", "times"), [(False, 40), (True, 1)])
def test_a_dialog_that_does_not_come_is_waited_for_until_kodi_ends_or_two_seconds(
    shim: Shim, settings_file: Any, kodi_ends: bool, times: int
) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return kodi_ends

    shim.waits = wait
    settings_file.open_dialog(shim.monitor())
    assert len(waited) == times
    assert sum(waited) == pytest.approx(2 * times / 40)
    assert shim.properties == {}


def test_a_save_waits_for_the_dialog(shim: Shim, settings_file: Any) -> None:
    shim.properties[settings_file.OPENING] = repr(time.time() + 1)
    shim.sleeps = lambda _: shim.properties.clear()
    settings_file.write({"account_state": "signed_in", "waiting": "true"})
    assert settings_file.saved == ["", ""]


@pytest.mark.parametrize("left", [-1, 0, 60, 1e9])
def test_what_a_killed_script_left_holds_nobody_up(
    shim: Shim, settings_file: Any, left: float
) -> None:
    shim.properties[settings_file.OPENING] = repr(time.time() + left)
    waited: list[int] = []
    shim.sleeps = waited.append
    settings_file.write({"account_state": "signed_in"})
    assert len(settings_file.saved) == 1
    assert waited == []
