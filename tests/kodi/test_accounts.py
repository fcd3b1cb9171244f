"""Several accounts of one service: switched, added and removed with the remote control; and logging
out everywhere.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.staging import ADDON_ID
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
OTHER, OTHERS_PASSWORD = StandIn.NON_ASCII
ADD, REMOVE = "Add an account", "Remove an account"


@pytest.fixture
def provider_id() -> str:
    return "idempotent"


def alive(server: StandIn) -> list[str]:
    return sorted(session["email"] for session in server.sessions() if session["alive"])


def active(witness: Witness) -> list[str]:
    return [one["account"]["email"] for one in witness.accounts() if one["active"]]


def test_two_accounts(kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn) -> None:
    viewer.log_in(NAME, PASSWORD)
    add_another(kodi, viewer)
    assert active(witness) == [OTHER]
    assert len(witness.accounts()) == 2
    assert alive(server) == sorted([NAME, OTHER])

    viewer.press_setting("Accounts…")
    lines = viewer.lines()
    kodi.screenshot("70-accounts")
    assert lines[0].startswith(OTHER)  # the active one has the focus
    assert any(line.startswith(NAME) for line in lines)
    viewer.choose(NAME)
    viewer.wait_for_settings()
    kodi.screenshot("71-switched")
    assert viewer.notifications()[-1] == f"Logged in as {NAME}"
    assert active(witness) == [NAME]
    viewer.wait_for_announcement("switched")
    assert alive(server) == sorted([NAME, OTHER])

    remove(kodi, viewer, OTHER)
    assert alive(server) == [NAME]
    assert active(witness) == [NAME]
    assert len(witness.accounts()) == 1

    viewer.log_out()
    assert alive(server) == []
    assert viewer.notifications()[-1] == "Logged out"


def add_another(kodi: Kodi, viewer: Viewer) -> None:
    viewer.press_setting("Accounts…")
    kodi.remote.wait_for_dialog("DialogSelect.xml")
    kodi.screenshot("70-one-account")
    viewer.choose(ADD)
    viewer.enter_credentials(OTHER, OTHERS_PASSWORD)
    viewer.wait_for_settings()
    assert viewer.notifications() == ["Logged in", "Logged in"]


def wait_for_which(kodi: Kodi) -> None:
    words = "Remove which account of Idempotent logout?"
    kodi.remote.wait_for(lambda: kodi.remote.label("Control.GetLabel(1)") == words, "the question")


def remove(kodi: Kodi, viewer: Viewer, email: str) -> None:
    viewer.press_setting("Accounts…")
    viewer.choose(REMOVE)
    wait_for_which(kodi)
    kodi.screenshot("72-remove-which")
    viewer.choose(email)
    viewer.wait_for_question()
    kodi.screenshot("73-confirm-remove")
    viewer.answer()
    viewer.wait_for_settings()
    assert viewer.notifications()[-1] == f"Logged out ({email})"
    kodi.screenshot("74-removed")


def test_logging_out_leaves_the_other_account_stored(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
) -> None:
    viewer.log_in(NAME, PASSWORD)
    add_another(kodi, viewer)
    viewer.log_out()
    assert alive(server) == [NAME]
    assert active(witness) == []
    assert "Log in" in viewer.shown_settings()
    viewer.press_setting("Accounts…")
    viewer.choose(NAME)
    viewer.wait_for_settings()
    assert active(witness) == [NAME]
    assert "Log out" in viewer.shown_settings()


def test_removing_while_the_server_is_away(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
) -> None:
    viewer.log_in(NAME, PASSWORD)
    add_another(kodi, viewer)
    server.stop()
    viewer.press_setting("Accounts…")
    viewer.choose(REMOVE)
    wait_for_which(kodi)
    viewer.choose(NAME)
    viewer.answer()
    viewer.wait_for_settings()
    assert viewer.notifications()[-1].startswith("Logged out here. The server will be told")
    assert viewer.notifications()[-1].endswith(f"({NAME})")
    assert active(witness) == [OTHER]
    server.start()
    kodi.remote.wait_for(lambda: alive(server) == [OTHER], "the server to be told", 60)


def test_everywhere_says_how_many(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn, tmp_path: Path
) -> None:
    viewer.log_in(NAME, PASSWORD)
    for number in range(2):
        witness.log_in_elsewhere(tmp_path / f"elsewhere-{number}", NAME, PASSWORD)
    witness.log_in_elsewhere(tmp_path / "somebody-else", OTHER, OTHERS_PASSWORD)
    assert alive(server) == sorted([NAME] * 3 + [OTHER])
    kodi.remote.wait_until_quiet()
    viewer.press_setting("Log out everywhere")
    viewer.wait_for_question()
    kodi.screenshot("75-everywhere")
    viewer.answer()
    kodi.remote.wait_for_toast()
    kodi.screenshot("76-signed-out-everywhere")
    viewer.wait_for_settings()
    assert viewer.notifications()[-1] == "Logged out. Sessions ended: 3"
    assert alive(server) == [OTHER]
    announced = [message for message, _ in kodi.remote.announcements(ADDON_ID)]
    assert announced.count("logout") == 1
