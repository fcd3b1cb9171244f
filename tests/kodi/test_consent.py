"""One login for the box: two add-ons of other people use the account that the viewer logged in with
in Sessionkeeper, as far as she allows them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kodi.clients import NAMES, PLAYER, RADIO, Client, source
from tests.kodi.harness import Kodi
from tests.kodi.neighbour import NEIGHBOUR_ID
from tests.kodi.services import parameters_for
from tests.kodi.viewer import LIST, SETTINGS, Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
QUESTION = "sessionkeeper-permission.xml"


@pytest.fixture
def provider_id() -> str:
    return "idempotent"


@pytest.fixture
def unstarted_kodi(unstarted_kodi: Kodi, tmp_path: Path, provider_id: str) -> Kodi:
    assert unstarted_kodi.server
    parameters = parameters_for(provider_id, unstarted_kodi.server)
    url = f"{parameters['base']}/api/auth/me"
    for addon_id in NAMES:
        files = source(tmp_path / "clients", addon_id, provider_id, parameters, url=url)
        unstarted_kodi.add_addon(files)
    return unstarted_kodi


@pytest.fixture
def clients(kodi: Kodi) -> tuple[Client, Client]:
    return Client(kodi, PLAYER), Client(kodi, RADIO)


def answer(kodi: Kodi, client: Client, label: str, screenshot: str = "") -> bool:
    """Has the client ask, and presses this button. Gives what the client made of it."""
    number = client.begin("ask")
    wait_for_question(kodi)
    if screenshot:
        kodi.screenshot(screenshot)
    kodi.remote.walk_to(label, key="Left", most=3)
    kodi.remote.press("Select")
    return bool(client.result(number)["allowed"])


def wait_for_question(kodi: Kodi) -> None:
    kodi.remote.wait_for_dialog(QUESTION)
    assert kodi.remote.focus() == "Not now"


def told(witness: Witness) -> list[tuple[str, str]]:
    return [(event["detail"], event["outcome"]) for event in witness.events("permission")]


def test_one_login_for_the_box(
    kodi: Kodi,
    viewer: Viewer,
    witness: Witness,
    server: StandIn,
    clients: tuple[Client, Client],
) -> None:
    player, radio = clients
    viewer.log_in(NAME, PASSWORD)
    viewer.leave_settings()
    kodi.remote.wait_until_quiet()
    refused = player.do("use")
    assert (refused["state"], refused["restored"]) == ("needs_permission", False)
    assert refused["error"] == "PermissionNeeded"

    assert answer(kodi, player, "Allow", "90-permission")
    used = player.do("use")
    assert (used["state"], used["email"]) == ("signed_in", NAME)
    assert not answer(kodi, radio, "Not now")
    # The answers stand, and nobody is asked again.
    assert player.do("ask")["allowed"]
    assert not radio.do("ask")["allowed"]
    assert radio.do("use")["state"] == "needs_permission"
    assert told(witness) == [(PLAYER, "allowed"), (RADIO, "refused")]

    kodi.quit()
    kodi.start()
    used = player.do("use")
    assert (used["state"], used["email"]) == ("signed_in", NAME)
    again = player.do("use")
    print("import, open, restore, request in ms:", used["ms"], again["ms"])
    assert radio.do("use")["state"] == "needs_permission"
    assert not radio.do("ask")["allowed"]

    # One login, by nobody but the viewer; one session.
    assert [session["alive"] for session in server.sessions()] == [True]
    change(kodi, viewer, NAMES[PLAYER])
    assert player.do("use")["error"] == "PermissionNeeded"
    change(kodi, viewer, NAMES[RADIO])
    assert radio.do("use")["email"] == NAME
    assert told(witness)[2:] == [(PLAYER, "withdrawn"), (RADIO, "allowed")]


def change(kodi: Kodi, viewer: Viewer, name: str) -> None:
    """Turns the answer about this add-on round, under Accounts."""
    viewer.press_setting("Accounts…")
    kodi.remote.wait_for_dialog(LIST)
    kodi.screenshot("91-accounts-with-add-ons")
    viewer.choose("Add-ons that use them")
    kodi.remote.wait_for(
        lambda: kodi.remote.label("Control.GetLabel(1)").startswith("Add-ons at"), "the add-ons"
    )
    kodi.screenshot("92-add-ons")
    viewer.choose(name)
    kodi.screenshot("93-add-on-changed")
    kodi.remote.wait_for_dialog(LIST)
    kodi.remote.press("Back")
    viewer.wait_for_settings()
    viewer.leave_settings()


def test_leaving_the_question_is_no_answer(
    kodi: Kodi, witness: Witness, clients: tuple[Client, Client]
) -> None:
    player, radio = clients
    witness.log_in(NAME, PASSWORD)
    number = player.begin("ask")
    wait_for_question(kodi)
    # One question at a time, whoever asks.
    assert not radio.do("ask")["allowed"]
    kodi.remote.press("Back")
    assert not player.result(number)["allowed"]
    assert told(witness) == []
    assert answer(kodi, player, "Allow")
    assert told(witness) == [(PLAYER, "allowed")]


def test_a_question_does_not_keep_kodi_from_ending(
    kodi: Kodi, witness: Witness, clients: tuple[Client, Client]
) -> None:
    witness.log_in(NAME, PASSWORD)
    clients[0].begin("ask")
    wait_for_question(kodi)
    assert kodi.quit() < 10
    assert told(witness) == []
    kodi.start()


LOOSE = """
import json, sys, xbmc
sys.path.insert(0, LIBRARY)
import sessionkeeper
said = []
for options in ({}, {"private": True}, {"data_dir": DATA}):
    try:
        said.append(sessionkeeper.open("angel", **options).data_dir)
    except sessionkeeper.Error as error:
        said.append(error.code)
params = {"sender": "loose", "message": "done", "data": said}
request = {"jsonrpc": "2.0", "id": 1, "method": "JSONRPC.NotifyAll", "params": params}
xbmc.executeJSONRPC(json.dumps(request))
"""


def test_a_script_of_no_add_on_has_a_directory_of_its_own_or_none(
    kodi: Kodi, tmp_path: Path
) -> None:
    library, data = str(kodi.addon / "resources" / "lib"), str(tmp_path / "loose-data")
    script = tmp_path / "loose.py"
    script.write_text(LOOSE.replace("LIBRARY", repr(library)).replace("DATA", repr(data)))
    kodi.run("1", "builtin", f"RunScript({script})", addon=NEIGHBOUR_ID)
    said = kodi.remote.wait_for(lambda: dict(kodi.remote.announcements("loose")), "its words", 30)
    assert said["done"] == ["invalid_input", "invalid_input", data]


def press(kodi: Kodi, addon_id: str, label: str) -> None:
    """A button in the settings of one of the two."""
    if kodi.remote.dialog() != SETTINGS:
        kodi.run("1", "builtin", f"Addon.OpenSettings({addon_id})", addon=NEIGHBOUR_ID)
        kodi.remote.wait_for_dialog(SETTINGS)
    kodi.remote.walk_to(label)
    kodi.remote.press("Select")


def wait_for_its_settings(kodi: Kodi, addon_id: str) -> None:
    kodi.remote.wait_for_dialog(SETTINGS, 40)
    assert kodi.remote.label("Control.GetLabel(2)") == f"Settings - {NAMES[addon_id]}"


def test_a_button_of_two_lines_logs_in_and_out(
    kodi: Kodi,
    viewer: Viewer,
    witness: Witness,
    server: StandIn,
    clients: tuple[Client, Client],
) -> None:
    player, radio = clients
    press(kodi, PLAYER, "Log in")
    viewer.enter_credentials(NAME, PASSWORD)
    wait_for_its_settings(kodi, PLAYER)
    viewer.wait_for_notification("Logged in")
    # It was her button that the viewer pressed.
    assert player.do("use")["email"] == NAME
    assert radio.do("use")["state"] == "needs_permission"
    assert told(witness) == [(PLAYER, "allowed")]

    # With somebody logged in, the other one's button asks for that account.
    leave(kodi)
    press(kodi, RADIO, "Log in")
    wait_for_question(kodi)
    kodi.screenshot("94-permission-from-settings")
    kodi.remote.walk_to("Allow", key="Left", most=3)
    kodi.remote.press("Select")
    wait_for_its_settings(kodi, RADIO)
    assert radio.do("use")["email"] == NAME

    press(kodi, RADIO, "Log out")
    viewer.wait_for_question()
    kodi.screenshot("95-logout-from-its-settings")
    viewer.answer()
    wait_for_its_settings(kodi, RADIO)
    viewer.wait_for_notification("Logged out")
    assert not any(session["alive"] for session in server.sessions())
    assert player.do("use")["state"] == "signed_out"


def leave(kodi: Kodi) -> None:
    kodi.remote.press("Back")
    kodi.remote.wait_for(lambda: kodi.remote.dialog() != SETTINGS, "the settings to close")


def test_the_dialogs_work_in_another_add_on(
    kodi: Kodi,
    viewer: Viewer,
    witness: Witness,
    server: StandIn,
    clients: tuple[Client, Client],
) -> None:
    player, radio = clients
    number = player.begin("log_in")
    viewer.enter_credentials(NAME, PASSWORD)
    assert player.result(number)["result"] == "Session"
    number = radio.begin("log_in")
    wait_for_question(kodi)
    kodi.remote.press("Select")
    assert radio.result(number)["result"] == "NoneType"
    # She pressed "Log in" herself, so she is asked once more.
    number = radio.begin("log_in")
    wait_for_question(kodi)
    kodi.remote.walk_to("Allow", key="Left", most=3)
    kodi.remote.press("Select")
    assert radio.result(number)["result"] == "Session"
    number = radio.begin("accounts")
    lines = viewer.lines()
    kodi.screenshot("96-accounts-in-another-add-on")
    assert any(line.startswith(NAME) for line in lines)
    kodi.remote.press("Back")
    assert "error" not in radio.result(number)
    number = radio.begin("log_out")
    viewer.answer()
    assert radio.result(number)["result"] == "LogoutReport"
    assert not any(session["alive"] for session in server.sessions())
    assert witness.status()["state"] == "signed_out"
