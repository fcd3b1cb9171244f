"""Logging out when the server is down, does not answer, or answers something that proves
nothing.
"""

from __future__ import annotations

import re
import time

from tests.kodi.harness import Kodi
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
LATER = "Logged out here. The server will be told when it can be reached."
CONFIRMED = f"Logout confirmed: {NAME} · Angel Studios"
TOLD_WITHIN_S = 60


def alive(angel: StandIn) -> list[str]:
    return [
        session["id"]
        for session in angel.sessions()
        if session["alive"] and session["email"] == NAME
    ]


def end_all(angel: StandIn) -> None:
    """What earlier tests left logged in is not this test's."""
    for session in alive(angel):
        angel.end_session(session)


def test_server_down_and_told_after_a_restart(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    end_all(angel)
    viewer.log_in(NAME, PASSWORD)
    kodi.remote.wait_until_quiet()
    angel.stop()
    viewer.press_setting("Log out")
    viewer.answer()
    answered = time.monotonic()
    kodi.remote.wait_for(lambda: LATER in viewer.notifications(), "the notification", 12)
    assert time.monotonic() - answered < 12
    kodi.screenshot("20-signed-out-server-down")
    viewer.wait_for_settings()
    assert "Try now" in viewer.shown_settings()
    kodi.screenshot("21-logout-waiting")
    assert [word for word in viewer.notifications() if word.startswith("Logged out")] == [LATER]
    assert witness.status()["state"] == "signed_out"
    assert len(witness.outbox()) == 1
    kodi.kill()

    angel.start()
    assert len(alive(angel)) == 1
    kodi.start()
    kodi.remote.wait_for(lambda: not alive(angel), "the server to be told", TOLD_WITHIN_S)
    kodi.remote.wait_for(lambda: not witness.outbox(), "the outbox to be empty", 10)
    assert len(witness.events("revoked")) == 1
    kodi.remote.wait_for(lambda: "revoked" in viewer.announcements(), "the announcement", 5)
    assert viewer.announcements().count("revoked") == 1
    viewer.wait_for_notification(CONFIRMED)
    kodi.remote.wait_for_toast()
    kodi.screenshot("24-logout-confirmed")
    kodi.remote.wait_for(
        lambda: "Try now" not in viewer.shown_settings(), "the settings to follow", 10
    )
    assert viewer.notifications() == [CONFIRMED]
    kodi.kill()
    kodi.start()
    time.sleep(3)
    assert viewer.notifications() == []


def test_server_back_while_kodi_runs(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    end_all(angel)
    viewer.log_in(NAME, PASSWORD)
    angel.stop()
    viewer.log_out()
    time.sleep(5)
    angel.start()
    kodi.remote.wait_for(lambda: not alive(angel), "the server to be told", TOLD_WITHIN_S)
    kodi.remote.wait_for(lambda: not witness.outbox(), "the outbox to be empty", 10)
    assert len(witness.events("revoked")) == 1
    viewer.wait_for_notification(CONFIRMED)


def test_told_by_somebody_else(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    """What the viewer was promised is announced whichever process has kept the promise."""
    viewer.log_in(NAME, PASSWORD)
    angel.fault("/logout", "status:503", host="auth.angel.com", retry_after="3600")
    viewer.log_out()
    kodi.kill()
    angel.clear_faults()
    witness.drain()
    kodi.start()
    viewer.wait_for_notification(CONFIRMED)


def test_try_now(kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn) -> None:
    end_all(angel)
    viewer.log_in(NAME, PASSWORD)
    angel.fault("/logout", "status:503", host="auth.angel.com", retry_after="3600")
    viewer.log_out()
    assert len(witness.outbox()) == 1
    angel.clear_faults()
    viewer.press_setting("Try now")
    kodi.remote.wait_for(lambda: not alive(angel), "the server to be told", 10)
    viewer.wait_for_settings()
    viewer.wait_for_notification(CONFIRMED)
    assert viewer.notifications()[-1] == CONFIRMED
    assert viewer.notifications().count(CONFIRMED) == 1


def test_cancel_means_signed_out_here(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    viewer.log_in(NAME, PASSWORD)
    angel.fault("/logout", "hang", host="auth.angel.com")
    viewer.press_setting("Log out")
    viewer.answer()
    remote = kodi.remote
    telling = "Telling Angel Studios (up to 10 s)"
    remote.wait_for(
        lambda: telling in remote.label("Control.GetLabel(9)"), "the progress dialog", pause=0.05
    )
    for percent in (5, 15, 25):  # of the deadline
        reached = f"Integer.IsGreater(System.Progressbar,{percent})"
        remote.wait_for(lambda: remote.is_true(reached), f"{percent} %", 4)  # noqa: B023
    assert not remote.is_true("Integer.IsGreater(System.Progressbar,60)")
    kodi.screenshot("22-logging-out")
    remote.press("Select")
    cancelled = time.monotonic()
    remote.wait_for(lambda: LATER in viewer.notifications(), "the notification", 3)
    assert time.monotonic() - cancelled < 1.5
    viewer.wait_for_settings()
    assert witness.status()["state"] == "signed_out"
    assert len(witness.outbox()) == 1


def test_an_answer_that_proves_nothing(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    viewer.log_in(NAME, PASSWORD)
    kodi.remote.wait_until_quiet()
    angel.fault("/logout", "no_deletion", host="auth.angel.com")
    viewer.log_out()
    told = [words for words in viewer.notifications() if words.startswith("Log")]
    told.remove("Logged in")
    assert len(told) == 1
    assert told[0].startswith("Logged out here. The server's answer proves nothing")
    assert re.search(r"ends by itself on \d.*\d\.$", told[0])
    kodi.screenshot("23-signed-out-unproved")
    assert not witness.events("revoked")
    assert witness.outbox()[0]["last_outcome"] == "unconfirmed"
