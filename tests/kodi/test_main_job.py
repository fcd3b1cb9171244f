"""The main job: log in in the settings, stay logged in over a restart, log out here and there."""

from __future__ import annotations

import re
import time

from tests.kodi.harness import Kodi
from tests.kodi.staging import ADDON_ID
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


def test_from_the_first_login_to_the_proved_logout(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    wrong_password_then_the_right_one(kodi, viewer)
    status = witness.status()
    assert (status["state"], status["account"]["email"]) == ("signed_in", NAME)
    details = look_at(kodi, viewer, "Session details", "05-session-details")
    assert "Stays logged in" in details
    assert "Expires" not in details
    # When it was renewed, when it will be, and when that comes to an end.
    assert len(re.findall(r"^(Last|Next) renewal: .*\d", details, re.MULTILINE)) == 1
    in_180_days = time.localtime(time.time() + 180 * 86400)
    assert str(in_180_days.tm_year) in details.partition("At the latest until: ")[2]

    cookies, key = witness.cookies(), witness.device_key()
    assert cookies
    assert key
    angel.clear_journal()
    restart(kodi, viewer, "06-signed-in-after-restart")
    assert "Log out" in viewer.shown_settings()
    assert witness.status()["state"] == "signed_in"
    assert not [request for request in angel.journal() if request["has_password"]]

    log_out(kodi, viewer)
    logouts = angel.journal("/logout", "auth.angel.com")
    assert [request["method"] for request in logouts] == ["GET"]
    assert logouts[0]["cookies"]
    assert set(logouts[0]["cookies"]) <= set(cookies)
    for name, value in cookies.items():
        assert not angel.check(cookies={name: value})
        assert not angel.check(jwt=value)
    assert len(witness.events("revoked")) == 1
    look_at(kodi, viewer, "Show the audit trail", "10-audit-trail", category="Advanced")

    # In a profile that logs everything, nothing that was secret can be read anywhere.
    assert witness.places_with([PASSWORD, *cookies.values(), *key]) == []

    restart(kodi, viewer, "11-signed-out-after-restart")
    assert "Log in" in viewer.shown_settings()
    assert witness.status()["state"] == "signed_out"


def wrong_password_then_the_right_one(kodi: Kodi, viewer: Viewer) -> None:
    remote = kodi.remote
    viewer.press_setting("Log in")
    remote.wait_for_keyboard("User name")
    kodi.screenshot("01-user-name")
    remote.type_text("User name", NAME)
    remote.wait_for_keyboard("Password")
    kodi.screenshot("02-password")
    remote.type_text("Password", "not this one")
    words = viewer.wait_for_choice("Try again")
    kodi.screenshot("03-refused")
    assert NAME in words
    remote.press("Select")
    # The name is kept.
    remote.type_text("Password", PASSWORD)
    viewer.wait_for_settings()
    kodi.screenshot("04-signed-in")
    shown = viewer.shown_settings()
    assert {"Session details", "Log out"} <= set(shown)
    assert "Log in" not in shown
    assert viewer.notifications() == ["Logged in"]
    viewer.wait_for_announcement("login")


def log_out(kodi: Kodi, viewer: Viewer) -> None:
    remote = kodi.remote
    viewer.press_setting("Log out")
    viewer.wait_for_question()
    kodi.screenshot("07-confirm-logout")
    viewer.answer()
    remote.wait_for_toast()
    kodi.screenshot("08-signed-out")
    viewer.wait_for_settings()
    assert viewer.notifications() == ["Logged out"]
    assert "Log in" in viewer.shown_settings()
    kodi.screenshot("09-settings-signed-out")
    viewer.wait_for_announcement("logout")
    viewer.wait_for_announcement("revoked")
    announced = [message for message, _ in remote.announcements(ADDON_ID)]
    assert announced.count("logout") == announced.count("revoked") == 1


def look_at(
    kodi: Kodi, viewer: Viewer, label: str, screenshot: str, category: str = "Account"
) -> str:
    """The text that this button shows."""
    viewer.press_setting(label, category)
    words = viewer.shown_text()
    kodi.screenshot(screenshot)
    kodi.remote.press("Back")
    viewer.wait_for_settings()
    return words


def restart(kodi: Kodi, viewer: Viewer, screenshot: str) -> None:
    viewer.leave_settings()
    kodi.quit()
    kodi.start()
    viewer.open_settings()
    kodi.screenshot(screenshot)
