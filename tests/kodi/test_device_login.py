"""Logging in with a code: what the screen shows, who approves it, and every way to leave it. With
keys of a remote control only.
"""

from __future__ import annotations

import time

import pytest

from tests.kodi import picture
from tests.kodi.harness import Kodi
from tests.kodi.viewer import CODE, QUESTION, Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
# How each server calls the lifetime of a code, in seconds.
LIFETIME = {"oidc": "device_lifetime", "workos-device": "device_expires_in"}
POLLED = {"oidc": "/token", "workos-device": "/user_management/authenticate"}
# Control numbers of the window.
ADDRESS, THE_CODE, REMAINING, MESSAGE = 12, 14, 15, 18


@pytest.fixture
def provider_id() -> str:
    return "oidc"


def label(kodi: Kodi, number: int) -> str:
    return kodi.remote.label(f"Control.GetLabel({number})")


def shown_code(kodi: Kodi) -> str:
    kodi.remote.wait_for_dialog(CODE)
    found: str = kodi.remote.wait_for(
        lambda: kodi.remote.is_true("Control.IsVisible(30)") and label(kodi, THE_CODE), "a code", 20
    )
    return found


def begin(kodi: Kodi, viewer: Viewer) -> str:
    viewer.press_setting("Log in")
    return shown_code(kodi)


def pictures(kodi: Kodi) -> list[str]:
    return [file.name for file in (kodi.profile / "temp").glob("sessionkeeper*")]


@pytest.mark.parametrize("provider_id", ["oidc", "workos-device"])
def test_from_the_code_to_the_proved_logout(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn, provider_id: str
) -> None:
    code = begin(kodi, viewer)
    shot = kodi.screenshot(f"60-{provider_id}-code")
    address = label(kodi, ADDRESS)
    assert address.startswith("https://")
    assert any(
        picture.shows_qr(shot, witness.qr(whole))
        for whole in (f"{address}?user_code={code}", address)
    )
    assert kodi.remote.focus() == "Cancel"
    server.approve(code, NAME, PASSWORD)
    viewer.wait_for_settings()
    kodi.screenshot(f"61-{provider_id}-signed-in")
    assert viewer.notifications() == ["Logged in"]
    assert "Log out" in viewer.shown_settings()
    assert witness.status()["account"]["email"] == NAME
    assert pictures(kodi) == []
    token = witness.token()
    assert token
    viewer.leave_settings()
    kodi.quit()
    kodi.start()
    viewer.log_out()
    kodi.screenshot(f"62-{provider_id}-signed-out")
    assert viewer.notifications() == ["Logged out"]
    assert not any(session["alive"] for session in server.sessions())
    assert witness.places_with([PASSWORD, token, *witness.device_key()]) == []
    assert code not in kodi.logs()


class TestOnALargeScreen:
    @pytest.fixture
    def unstarted_kodi(self, unstarted_kodi: Kodi) -> Kodi:
        unstarted_kodi.screen = "1920x1080"
        return unstarted_kodi

    def test_the_window_grows_with_it(self, kodi: Kodi, viewer: Viewer, witness: Witness) -> None:
        code = begin(kodi, viewer)
        shot = kodi.screenshot("67-full-hd")
        whole = f"{label(kodi, ADDRESS)}?user_code={code}"
        assert picture.grey(shot)[1] == 1920
        assert picture.shows_qr(shot, witness.qr(whole))


def test_cancel_takes_less_than_a_second(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
) -> None:
    for action in ("select", "back", "previousmenu", "stop"):
        begin(kodi, viewer)
        kodi.remote.rpc("Input.ExecuteAction", action=action)
        pressed = time.monotonic()
        kodi.remote.wait_for(lambda: kodi.remote.dialog() != CODE, "the window to close", 5, 0.02)
        # A second, and as long again for a machine that is at something else.
        assert time.monotonic() - pressed < 2, action
        viewer.wait_for_settings()
    assert viewer.notifications() == []
    assert witness.status()["state"] == "signed_out"
    assert pictures(kodi) == []
    # Nobody asks the service about the code any more.
    asked = len(server.journal(POLLED["oidc"]))
    time.sleep(6)
    assert len(server.journal(POLLED["oidc"])) == asked


def test_cancel_while_the_service_does_not_answer(
    kodi: Kodi, viewer: Viewer, server: StandIn
) -> None:
    server.fault("*", "hang")
    viewer.press_setting("Log in")
    kodi.remote.wait_for_dialog(CODE)
    kodi.screenshot("63-asking")
    assert label(kodi, MESSAGE).startswith("Asking OpenID Connect")
    kodi.remote.rpc("Input.Select")
    pressed = time.monotonic()
    kodi.remote.wait_for(lambda: kodi.remote.dialog() != CODE, "the window to close", 5, 0.02)
    assert time.monotonic() - pressed < 1
    viewer.wait_for_settings()


def test_a_new_code_when_one_has_expired(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
) -> None:
    server.settings(**{LIFETIME["oidc"]: 12})
    first = begin(kodi, viewer)
    remote = kodi.remote
    remote.wait_for(lambda: label(kodi, REMAINING).endswith(("0:07", "0:06", "0:05")), "time to go")
    remote.wait_for(lambda: remote.focus() == "New code", "the end of the code", 30)
    kodi.screenshot("64-expired")
    assert label(kodi, MESSAGE) == "The code has expired."
    assert pictures(kodi) == []
    remote.press("Right")
    assert remote.focus() == "Cancel"
    remote.press("Left")
    server.settings(**{LIFETIME["oidc"]: 600})
    remote.press("Select")
    remote.wait_for(lambda: label(kodi, THE_CODE) != first, "another code", 20)
    second = shown_code(kodi)
    kodi.screenshot("65-new-code")
    assert len(pictures(kodi)) == 1
    server.approve(second, NAME, PASSWORD)
    viewer.wait_for_settings()
    assert witness.status()["state"] == "signed_in"
    assert viewer.notifications() == ["Logged in"]


def test_a_refusal_on_the_other_device_is_a_message(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
) -> None:
    code = begin(kodi, viewer)
    server.approve(code, deny=True)
    words = viewer.wait_for_message()
    kodi.screenshot("66-denied")
    assert words.startswith("The login was refused on the other device.")
    kodi.remote.press("Select")
    viewer.wait_for_settings()
    assert witness.status()["state"] == "signed_out"


def test_leaving_an_expired_code_is_no_failure(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
) -> None:
    server.settings(**{LIFETIME["oidc"]: 4})
    begin(kodi, viewer)
    kodi.remote.wait_for(lambda: kodi.remote.focus() == "New code", "the end of the code", 20)
    kodi.remote.press("Right", "Select")
    viewer.wait_for_settings()
    assert viewer.notifications() == []
    assert witness.status()["state"] == "signed_out"


def test_kodi_ends_while_the_code_is_shown(kodi: Kodi, viewer: Viewer) -> None:
    code = begin(kodi, viewer)
    (name,) = pictures(kodi)
    assert code not in name
    assert (kodi.profile / "temp" / name).stat().st_mode & 0o077 == 0
    assert kodi.quit() < 5
    assert pictures(kodi) == []


def test_a_power_cut_leaves_no_picture_behind(kodi: Kodi, viewer: Viewer) -> None:
    begin(kodi, viewer)
    assert len(pictures(kodi)) == 1
    kodi.kill()
    kodi.start()
    kodi.remote.wait_for(lambda: not pictures(kodi), "the picture to be removed")


def test_other_keys_change_nothing(kodi: Kodi, viewer: Viewer, server: StandIn) -> None:
    code = begin(kodi, viewer)
    kodi.remote.press("Up", "Down", "Left", "Right", "Home")
    kodi.remote.rpc("Input.ContextMenu")
    kodi.remote.rpc("Input.Info")
    assert kodi.remote.dialog() == CODE
    assert kodi.remote.focus() == "Cancel"
    assert shown_code(kodi) == code
    assert kodi.remote.dialog() != QUESTION
