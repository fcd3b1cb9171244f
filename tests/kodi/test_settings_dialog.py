"""The settings dialog: what can be reached with a remote control, and that it shows the truth."""

from __future__ import annotations

from tests.kodi.harness import Kodi
from tests.kodi.viewer import QUESTION, Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


def test_every_setting_can_be_reached(kodi: Kodi, viewer: Viewer) -> None:
    assert viewer.shown_settings() == [
        "Service",
        "Status",
        "Log in",
        "Accounts…",
        "Log out of everything on this device…",
        "Logouts waiting for the server",
    ]
    remote = kodi.remote
    found = {}
    for category in ("Network", "Advanced"):
        remote.press("Left")
        remote.walk_to(category)
        kodi.screenshot(f"40-{category.lower()}")
        remote.press("Right")
        found[category] = viewer.shown_settings()
    assert [label.split(" (")[0] for label in found["Network"]] == [
        "Longest wait for an answer",
        "Proxy",
        "Certificate file",
    ]
    assert found["Advanced"][-2:] == [
        "Show the audit trail",
        "Forget this device's key and sessions",
    ]


def test_an_open_dialog_follows_and_keeps_nothing_back(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    """Kodi gives what is written meanwhile to the open dialog, and forgets it on Cancel."""
    viewer.open_settings()
    witness.log_in(NAME, PASSWORD)
    kodi.run("drain")
    kodi.remote.wait_for(lambda: "Log out" in viewer.shown_settings(), "the dialog to follow")
    kodi.screenshot("42-open-dialog-follows")
    viewer.leave_settings()
    kodi.remote.wait_for(lambda: NAME in _settings_file(kodi), "the state to be written")
    assert "Log out" in viewer.shown_settings()


def test_forgetting_warns_and_erases(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    viewer.log_in(NAME, PASSWORD)
    angel.stop()
    viewer.log_out()
    assert len(witness.outbox()) == 1
    viewer.press_setting("Forget this device's key", category="Advanced")
    kodi.remote.wait_for_dialog(QUESTION)
    kodi.screenshot("41-forget")
    assert "Logouts waiting for the server: 1" in kodi.remote.label("Control.GetLabel(9)")
    viewer.answer("Erase")
    viewer.wait_for_settings()
    assert witness.outbox() == []
    assert NAME not in _settings_file(kodi)
    assert "Log in" in viewer.shown_settings()


def test_a_proxy_password_does_not_stay_in_the_settings(kodi: Kodi, viewer: Viewer) -> None:
    path = kodi.data_directory / "settings.xml"
    kodi.remote.wait_for(path.exists, "the settings file")
    kodi.quit()
    address = "http://somebody:keep-me-secret@127.0.0.1:3128"
    path.write_text(
        path.read_text().replace(
            '<setting id="proxy_address" default="true" />',
            f'<setting id="proxy_address">{address}</setting>',
        )
    )
    assert "keep-me-secret" in _settings_file(kodi)
    kodi.start()
    kept = '"proxy_address">http://127.0.0.1:3128<'
    kodi.remote.wait_for(lambda: kept in _settings_file(kodi), "the password to go")
    assert "keep-me-secret" not in _settings_file(kodi)
    assert "keep-me-secret" not in kodi.log()


def _settings_file(kodi: Kodi) -> str:
    path = kodi.data_directory / "settings.xml"
    return path.read_text() if path.exists() else ""
