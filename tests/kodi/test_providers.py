"""The services beside Angel Studios: chosen in the settings with the remote control, told where
they are, and from the login to a truthful outcome of the logout.
"""

from __future__ import annotations

import json

import pytest

from tests.kodi import services
from tests.kodi.harness import Kodi
from tests.kodi.staging import ADDON_ID
from tests.kodi.viewer import LIST, Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
WITH_PASSWORD = ["workos", "jwt-audit", "linxup", "idempotent"]
# What a service's own logout proves. The token of jwt-audit lives on until it ends by itself.
OUTCOME = {"jwt-audit": "Logged out here, but not there"}


ADDRESS = "Idempotent logout: the address of the service"


class TestInTheSettings:
    """Without any server but Angel Studios'."""

    @pytest.fixture
    def unstarted_kodi(self, unstarted_kodi: Kodi) -> Kodi:
        """Of a developer: the services for viewers need nothing."""
        unstarted_kodi.say({})
        return unstarted_kodi

    def test_what_is_built_in_can_be_chosen(self, kodi: Kodi, viewer: Viewer) -> None:
        viewer.press_setting("Service")
        kodi.remote.wait_for_dialog(LIST)
        kodi.screenshot("50-services")
        assert set(services.built_in().values()) <= set(viewer.lines())
        kodi.remote.press("Back")
        viewer.wait_for_settings()
        assert "Set-up" not in str(viewer.shown_settings())

    def test_what_a_service_needs_is_asked_for(self, kodi: Kodi, viewer: Viewer) -> None:
        viewer.press_setting("Service")
        viewer.choose("Idempotent logout")
        kodi.remote.type_text(ADDRESS, "http://shop.example")
        words = viewer.wait_for_message()
        kodi.screenshot("51-address-refused")
        assert "only https is used" in words
        kodi.remote.press("Select")
        # Whoever gives up stays where she was.
        kodi.remote.wait_for_keyboard(ADDRESS)
        kodi.screenshot("52-address-asked")
        kodi.remote.press("Back")
        viewer.wait_for_settings()
        assert "Idempotent logout" not in settings_file(kodi)
        viewer.choose_service("Idempotent logout", the_address_of_the_service="https://a.example")
        assert "- Set-up" in viewer.shown_settings()
        assert "https://a.example" in settings_file(kodi)


@pytest.mark.parametrize("provider_id", WITH_PASSWORD)
def test_from_the_choice_to_the_logout(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn, provider_id: str
) -> None:
    viewer.leave_settings()
    viewer.log_in(NAME, PASSWORD)
    kodi.screenshot(f"53-{provider_id}-signed-in")
    account = witness.status()["account"]
    assert account["email"] == NAME
    cookies, token = witness.cookies(), witness.token()
    assert cookies or token
    viewer.leave_settings()
    kodi.quit()
    kodi.start()
    assert "Log out" in viewer.shown_settings()
    kodi.remote.wait_until_quiet()
    viewer.log_out()
    kodi.screenshot(f"54-{provider_id}-signed-out")
    told = [words for words in viewer.notifications() if words.startswith("Logged out")]
    assert len(told) == 1
    assert told[0].startswith(OUTCOME.get(provider_id, "Logged out"))
    assert (told[0] == "Logged out") == (provider_id not in OUTCOME)
    assert witness.status()["state"] == "signed_out"
    if provider_id not in OUTCOME:
        assert not any(session["alive"] for session in server.sessions())
    # The account's id, which linxup has in a cookie as well, is no secret.
    secrets = {PASSWORD, token, *cookies.values()} - {"", account["id"]}
    assert witness.places_with([*secrets, *witness.device_key()]) == []


class TestPickedByHand:
    """Nothing is in the settings file but what the remote control put there."""

    @pytest.fixture
    def provider_id(self) -> str:
        return "idempotent"

    def test_address_typed_with_the_remote(
        self, kodi: Kodi, viewer: Viewer, server: StandIn, witness: Witness
    ) -> None:
        viewer.choose_service("Angel Studios")
        viewer.choose_service("Idempotent logout")
        viewer.set_up(ADDRESS, f"{server.parameters['base']}/")
        kodi.screenshot("55-address-typed")
        viewer.log_in(NAME, PASSWORD)
        assert witness.status()["account"]["email"] == NAME
        viewer.log_out()
        assert viewer.notifications() == ["Logged in", "Logged out"]


class TestAuditWarning:
    @pytest.fixture
    def provider_id(self) -> str:
        return "jwt-audit"

    def test_is_a_detail_of_the_outcome(self, kodi: Kodi, viewer: Viewer, server: StandIn) -> None:
        viewer.log_in(NAME, PASSWORD)
        kodi.remote.wait_until_quiet()
        server.settings(audit_fails=True, deny_list=True)
        viewer.log_out()
        kodi.remote.wait_for_toast()
        kodi.screenshot("56-audit-warning")
        told = viewer.notifications()
        assert len(told) == 2
        assert told[1].startswith("Logged out. The service adds: ")
        assert kodi.remote.dialog() != "DialogConfirm.xml"


class TestCart:
    @pytest.fixture
    def provider_id(self) -> str:
        return "linxup"

    def test_items_of_the_subscription_are_exchanged_and_others_told(
        self, kodi: Kodi, viewer: Viewer
    ) -> None:
        viewer.log_in(NAME, PASSWORD)
        cart = kodi.data_directory / "cart.json"
        cart.write_text(json.dumps({"items": [{"sku": "TRACK-ACT", "quantity": 2}]}))
        (kodi.data_directory / "products.json").write_text(json.dumps(["TRACK-ACT", "TRACK-NON"]))
        viewer.log_out()
        assert json.loads(cart.read_text())["items"] == [{"sku": "TRACK-NON", "quantity": 2}]
        # In either order: the service may do the work while the script tells the server.
        viewer.wait_for_announcement("update")
        viewer.wait_for_announcement("logout")
        announced = [message for message, _ in kodi.remote.announcements(ADDON_ID)]
        assert announced.count("update") == 1
        assert announced.count("logout") == 1


def settings_file(kodi: Kodi) -> str:
    path = kodi.data_directory / "settings.xml"
    return path.read_text() if path.exists() else ""
