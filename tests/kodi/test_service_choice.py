"""Two services with somebody logged in at each: what is shown and what is ended belong together."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.services import parameters_for
from tests.kodi.test_device_login import begin
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
OTHER, OTHERS_PASSWORD = StandIn.NON_ASCII


def alive(server: StandIn) -> list[str]:
    return sorted(session["email"] for session in server.sessions() if session["alive"])


def setting(kodi: Kodi, name: str) -> str:
    """What the dialog shows is what was in the file when it opened."""
    settings = ET.parse(kodi.data_directory / "settings.xml").getroot()
    return settings.findtext(f"setting[@id='{name}']") or ""


class TestTwoServices:
    """One server is both."""

    @pytest.fixture
    def provider_id(self) -> str:
        return "workos"

    @pytest.fixture
    def unstarted_kodi(self, unstarted_kodi: Kodi, server: StandIn) -> Kodi:
        """With what either of them needs."""
        both = ("workos", "workos-device")
        unstarted_kodi.say({one: parameters_for(one, server) for one in both}, provider="workos")
        return unstarted_kodi

    def test_the_account_in_the_question_is_the_one_that_ends(
        self, kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
    ) -> None:
        witness.log_in(NAME, PASSWORD)
        viewer.choose_service("WorkOS")
        server.approve(begin(kodi, viewer), OTHER, OTHERS_PASSWORD)
        viewer.wait_for_settings()
        assert alive(server) == sorted([NAME, OTHER])

        viewer.choose_service("WorkOS (through an application)")
        assert NAME in setting(kodi, "account_label")
        viewer.choose_service("WorkOS")
        assert setting(kodi, "service_label") == "WorkOS"
        assert OTHER in setting(kodi, "account_label")
        kodi.screenshot("80-second-service")
        viewer.press_setting("Log out")
        viewer.wait_for_question()
        kodi.screenshot("81-log-out-of-the-second")
        question = kodi.remote.label("Control.GetLabel(9)")
        assert question.startswith(f"{OTHER} will be logged out of WorkOS, ")
        kodi.remote.press("Select")
        viewer.wait_for_settings()
        assert alive(server) == sorted([NAME, OTHER]), "the default is Cancel"

        viewer.log_out()
        assert alive(server) == [NAME]
        assert witness.status()["state"] == "signed_in"
        # The choice was saved when it was made: leaving the dialog takes nothing back.
        viewer.leave_settings()
        assert setting(kodi, "provider") == "workos-device"


class TestTwoAddresses:
    @pytest.fixture
    def provider_id(self) -> str:
        return "idempotent"

    def test_another_address_is_another_service_at_once(
        self, kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
    ) -> None:
        about = "Idempotent logout: the address of the service"
        witness.log_in(NAME, PASSWORD)
        viewer.set_up(about, "https://elsewhere.example")
        assert setting(kodi, "account_label") == "Not logged in"
        assert "Log out" not in viewer.shown_settings()
        # Leaving the keyboard changes nothing.
        viewer.press_setting("Set-up")
        kodi.remote.wait_for_keyboard(about)
        kodi.remote.press("Back")
        viewer.wait_for_settings()
        assert setting(kodi, "setup_label") == "https://elsewhere.example"
        viewer.set_up(about, server.parameters["base"])
        assert NAME in setting(kodi, "account_label")
        assert "Log out" in viewer.shown_settings()
