"""Logging in where the service asks for more than a password: Kodi's keyboard for digits, a wrong
code, a right one, and giving up. The service is an add-on's own.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.kodi.clients import PLAYER, Client, source
from tests.kodi.harness import Kodi
from tests.kodi.staging import ROOT
from tests.kodi.viewer import Viewer
from tests.servers.fixture import StandIn
from tests.servers.two_step import totp

NAME, PASSWORD = StandIn.VIEWER
FILE = ROOT / "tests" / "python" / "two_step" / "provider.toml"
DIGITS = "DialogNumeric.xml"


@pytest.fixture
def provider_id() -> str:
    return "two-step"


@pytest.fixture
def unstarted_kodi(tmp_path: Path, server: StandIn, home_with_the_addon: Path) -> Kodi:
    kodi = Kodi(tmp_path, server, like=home_with_the_addon)
    kodi.add_addon(source(tmp_path / "clients", PLAYER, str(FILE), {}))
    return kodi


def type_digits(kodi: Kodi, digits: str) -> None:
    remote = kodi.remote
    remote.wait_for_dialog(DIGITS)
    time.sleep(0.4)
    for digit in digits:
        remote.rpc("Input.ExecuteAction", action=f"number{digit}")
    remote.rpc("Input.ExecuteAction", action="enter")


def heading(kodi: Kodi) -> str:
    return kodi.remote.label("Control.GetLabel(1)")


def test_the_code_of_an_app_by_the_remote_control(
    kodi: Kodi, viewer: Viewer, server: StandIn
) -> None:
    player = Client(kodi, PLAYER)
    number = player.begin("log_in")
    viewer.enter_credentials(NAME, PASSWORD)
    kodi.remote.wait_for_dialog(DIGITS)
    assert heading(kodi) == "Two Step: Code from your authenticator app"
    kodi.screenshot("110-code-asked")
    assert [one["alive"] for one in server.sessions()] == [True]
    type_digits(kodi, "000000")
    again = "Not accepted: Code from your authenticator app"
    kodi.remote.wait_for(
        lambda: kodi.remote.dialog() == DIGITS and heading(kodi) == again, "it again", 20
    )
    kodi.screenshot("111-code-asked-again")
    code = totp.code(totp.step(time.time()))
    type_digits(kodi, code)
    assert player.result(number)["result"] == "Session"
    viewer.wait_for_notification("Logged in")
    assert [(one["alive"], one["wrong"]) for one in server.sessions()] == [(True, 1)]
    for told in (kodi.logs(), *(str(one) for one in kodi.remote.announcements(PLAYER))):
        assert code not in told


def test_leaving_the_keyboard_ends_what_the_server_has_begun(
    kodi: Kodi, viewer: Viewer, server: StandIn
) -> None:
    player = Client(kodi, PLAYER)
    number = player.begin("log_in")
    viewer.enter_credentials(NAME, PASSWORD)
    kodi.remote.wait_for_dialog(DIGITS)
    time.sleep(0.4)
    kodi.remote.press("Back")
    assert player.result(number).get("error", "Cancelled") == "Cancelled"
    kodi.remote.wait_for(lambda: not server.sessions()[0]["alive"], "its end at the server")
    assert server.journal("/v1/code") == []


def test_a_power_cut_while_somebody_types_leaves_no_session(
    kodi: Kodi, viewer: Viewer, server: StandIn
) -> None:
    Client(kodi, PLAYER).begin("log_in")
    viewer.enter_credentials(NAME, PASSWORD)
    kodi.remote.wait_for_dialog(DIGITS)
    assert [one["alive"] for one in server.sessions()] == [True]
    kodi.kill()
    kodi.start()
    kodi.remote.wait_for(lambda: not server.sessions()[0]["alive"], "its end at the server", 60)
