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
    words = viewer.wait_for_choice("Try again")
    kodi.screenshot("30-network-trouble")
    assert kodi.remote.label("Control.GetLabel(1)") == "Angel Studios cannot be reached"
    assert "Nothing you typed is lost." in words
    assert "password" not in words
    kodi.remote.walk_to("Cancel", key="Right", most=3)
    kodi.remote.press("Select")
    viewer.wait_for_settings()
    assert "Log in" in viewer.shown_settings()
    assert viewer.notifications() == []


def test_what_was_typed_survives_a_network_error(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    angel.stop()
    viewer.press_setting("Log in")
    viewer.enter_credentials(NAME, PASSWORD)
    viewer.wait_for_choice("Try again")
    kodi.remote.press("Select")
    # The same choice again, so that the next key does not meet the dialog in between.
    failed = "the login failed (network_error)"
    kodi.remote.wait_for(lambda: kodi.logs().count(failed) == 2, "the second failure")
    viewer.wait_for_choice("Try again")
    assert witness.places_with([PASSWORD]) == []
    angel.start()
    kodi.remote.press("Select")
    viewer.wait_for_settings()
    assert viewer.notifications() == ["Logged in"]
    assert witness.status()["account"]["email"] == NAME
    assert witness.places_with([PASSWORD]) == []


def test_another_address_after_a_refusal(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    viewer.press_setting("Log in")
    viewer.enter_credentials("somebody.else@example.com", PASSWORD)
    words = viewer.wait_for_choice("Try again")
    assert "somebody.else@example.com" in words
    kodi.remote.walk_to("Other e-mail", key="Right", most=3)
    kodi.screenshot("32-other-address")
    kodi.remote.press("Select")
    viewer.enter_credentials(NAME, PASSWORD)
    viewer.wait_for_settings()
    assert witness.status()["account"]["email"] == NAME


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
