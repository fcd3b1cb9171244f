"""Logging in when the network fails, when the viewer gives up, and when Kodi ends meanwhile."""

from __future__ import annotations

import re
import time
from datetime import datetime

from tests.kodi.harness import Kodi
from tests.kodi.viewer import SETTINGS, Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


def test_network_trouble_is_not_called_a_wrong_password(
    kodi: Kodi, viewer: Viewer, angel: StandIn
) -> None:
    angel.stop()
    viewer.press_setting("Log in")
    viewer.enter_credentials(NAME, PASSWORD)
    viewer.wait_for_message()
    kodi.screenshot("30-network-trouble")
    words = kodi.remote.label("Control.GetLabel(9)")
    assert "could not be reached" in words
    assert "refused the user name" not in words
    kodi.remote.press("Select")
    viewer.wait_for_settings()
    assert "Log in" in viewer.shown_settings()


def test_cancel_reacts_within_a_second(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    angel.fault("/u/login", "hang")
    viewer.press_setting("Log in")
    viewer.enter_credentials(NAME, PASSWORD)
    remote = kodi.remote
    remote.wait_for(lambda: remote.focus() == "Cancel", "the progress dialog")
    time.sleep(1)
    kodi.screenshot("31-logging-in")
    pressed = time.monotonic()
    remote.press("Select")
    remote.wait_for(lambda: remote.dialog() == SETTINGS, "the settings", 3)
    # The dialog's own closing and the opening of the settings are in it.
    assert time.monotonic() - pressed < 2
    assert witness.status()["state"] == "signed_out"


def test_giving_up_at_the_keyboard_changes_nothing(
    kodi: Kodi, viewer: Viewer, angel: StandIn
) -> None:
    viewer.press_setting("Log in")
    kodi.remote.wait_for_keyboard("User name")
    kodi.remote.press("Back")
    viewer.wait_for_settings()
    assert "Log in" in viewer.shown_settings()
    assert angel.journal() == []
    assert viewer.notifications() == []


def test_kodi_ends_during_a_login_that_hangs(kodi: Kodi, viewer: Viewer, angel: StandIn) -> None:
    angel.fault("/u/login", "hang")
    viewer.press_setting("Log in")
    viewer.enter_credentials(NAME, PASSWORD)
    kodi.remote.wait_for(lambda: angel.journal("/u/login"), "the request that hangs")
    kodi.quit()
    log = kodi.log()
    assert "let's kill it" not in log
    assert _ended_after(log, "script.py") < 2
    assert _ended_after(log, "service.py") < 2


def _ended_after(log: str, script: str) -> float:
    """Seconds between Kodi telling its scripts to end and the end of one of them."""
    told = _moment(
        log, r"trigger Monitor abort request|CServiceAddonManager: stopping script\.sessionkeeper"
    )
    ended = _moment(log, rf"onExecutionDone\(\d+, [^)]*/{script}\)")
    return ended - told


def _moment(log: str, pattern: str) -> float:
    lines = [line for line in log.splitlines() if re.search(pattern, line)]
    assert lines, f"no line {pattern!r} in the log"
    return datetime.fromisoformat(lines[-1][:23]).timestamp()
