"""One keeper for the box: Sessionkeeper's service looks after what add-ons without a service have
left, in the shared vault and in their own, and one button logs out of all of it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.kodi import profile
from tests.kodi.clients import NAMES, PLAYER, RADIO, Client, source
from tests.kodi.harness import Kodi
from tests.kodi.services import built_in, parameters_for
from tests.kodi.staging import ADDON_ID
from tests.kodi.viewer import TEXT, Viewer
from tests.kodi.witness import Witness
from tests.servers.crossroads import Crossroads
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
CONFIRMED = "Logout confirmed: "
# After a server is back, its logouts are delivered within so many seconds.
PROMISED_S = 60


def confirmed(viewer: Viewer) -> list[str]:
    return [words for words in viewer.notifications() if words.startswith(CONFIRMED)]


class TestWithoutAService:
    """One of the two uses the viewer's accounts, the other has a vault of its own."""

    @pytest.fixture
    def provider_id(self) -> str:
        return "idempotent"

    @pytest.fixture
    def unstarted_kodi(self, unstarted_kodi: Kodi, tmp_path: Path, provider_id: str) -> Kodi:
        assert unstarted_kodi.server
        parameters = parameters_for(provider_id, unstarted_kodi.server)
        for addon_id in NAMES:
            options = {}
            if addon_id == RADIO:
                options = {"private": True, "ca_file": unstarted_kodi.server.ca_file}
            files = source(tmp_path / "clients", addon_id, provider_id, parameters, **options)
            unstarted_kodi.add_addon(files)
        return unstarted_kodi

    def test_a_deferred_logout_is_delivered_also_after_the_add_on_is_gone(
        self, kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
    ) -> None:
        player, radio = Client(kodi, PLAYER), Client(kodi, RADIO)
        for client in (player, radio):
            assert client.do("login")["account"]
        server.stop()
        for client in (player, radio):
            assert client.do("logout")["remote"] == "deferred"
        assert len(witness.outbox()) == 1
        kodi.quit()
        # As an uninstallation leaves it: the add-on is gone, what it stored is not.
        shutil.rmtree(kodi.profile / "addons" / PLAYER)
        kodi.start()
        server.start()
        assert [session["alive"] for session in server.sessions()] == [True, True]
        kodi.remote.wait_for(
            lambda: not any(session["alive"] for session in server.sessions()),
            "the server to be told",
            PROMISED_S,
            0.5,
        )
        kodi.remote.wait_for(lambda: len(confirmed(viewer)) == 2, "the word to the viewer", 20)
        kodi.screenshot("100-confirmed-later")
        told = [data for kind, data in kodi.remote.announcements(ADDON_ID) if kind == "revoked"]
        assert sorted(data["addon"] for data in told) == ["", RADIO]
        kodi.remote.wait_until_quiet(60)
        assert len(confirmed(viewer)) == 2

    def test_a_private_vault_that_vanishes_is_told_once(
        self, kodi: Kodi, viewer: Viewer, server: StandIn
    ) -> None:
        assert Client(kodi, RADIO).do("login")["account"]
        kodi.quit()
        shutil.rmtree(kodi.profile / "addons" / RADIO)
        shutil.rmtree(kodi.data_directory.with_name(RADIO))
        # What was registered within the last minute may be in the making.
        age_the_register(kodi)
        kodi.start()
        words = "What it had stored is gone; a login that was in it may go on at the service."
        told = f"{RADIO}: {words}"
        viewer.wait_for_notification(told)
        kodi.screenshot("101-vault-vanished")
        kodi.quit()
        kodi.start()
        kodi.remote.wait_until_quiet()
        assert told not in viewer.notifications()


def age_the_register(kodi: Kodi) -> None:
    for entry in (kodi.data_directory / "vaults").iterdir():
        os.utime(entry, (entry.stat().st_atime, entry.stat().st_mtime - 120))


class TestEverything:
    """Five accounts of four services in three vaults."""

    SERVICES = ("angel", "idempotent", "jwt-audit", "linxup")

    @pytest.fixture
    def servers(self, stand_in: Callable[[str], StandIn]) -> dict[str, StandIn]:
        return {name: stand_in(name).reset() for name in self.SERVICES}

    @pytest.fixture
    def unstarted_kodi(
        self, unstarted_kodi: Kodi, servers: dict[str, StandIn], tmp_path: Path
    ) -> Iterator[Kodi]:
        kodi = unstarted_kodi
        authorities = tmp_path / "authorities.pem"
        authorities.write_text("".join(Path(s.ca_file).read_text() for s in servers.values()))
        profile.write_settings(kodi.data_directory, {"ca_file": str(authorities)})
        for addon_id, provider in ((PLAYER, "jwt-audit"), (RADIO, "linxup")):
            parameters = parameters_for(provider, servers[provider])
            options = {"private": True, "ca_file": str(authorities)}
            kodi.add_addon(source(tmp_path / "clients", addon_id, provider, parameters, **options))
        with Crossroads(*servers.values()) as crossroads:
            kodi.environment = {"HTTPS_PROXY": crossroads.proxy}
            yield kodi

    def test_the_list_is_true_and_the_rest_is_delivered(
        self, kodi: Kodi, viewer: Viewer, servers: dict[str, StandIn]
    ) -> None:
        for provider, who in (
            ("angel", StandIn.VIEWER),
            ("angel", StandIn.NON_ASCII),
            ("idempotent", StandIn.VIEWER),
        ):
            parameters = parameters_for(provider, servers[provider])
            Witness(kodi, provider, parameters, server=servers[provider]).log_in(*who)
        for addon_id in NAMES:
            assert Client(kodi, addon_id).do("login")["account"]
        servers["linxup"].stop()
        servers["idempotent"].fault("/*", "delay", delay=0.7)

        viewer.press_setting("Log out of everything on this device…")
        viewer.wait_for_question()
        kodi.screenshot("102-everything-question")
        question = kodi.remote.label("Control.GetLabel(9)")
        assert question.startswith("Accounts: 5, services: 4.")
        viewer.answer()
        kodi.remote.wait_for(
            lambda: " of 5" in kodi.remote.label("Control.GetLabel(9)"), "the count"
        )
        kodi.screenshot("103-everything-counts")
        kodi.remote.wait_for_dialog(TEXT, 30)
        kodi.screenshot("104-everything-done")
        parts = viewer.shown_text().split("\n\n")
        assert [part.splitlines()[0] for part in parts] == [
            "Logged out, and confirmed by the service:",
            "Logged out here. The service will be told when it can be reached:",
            "Logged out here. The service has proved nothing; it ends there by itself on the date "
            "given:",
            "Waiting to be told: 2. Leave this device on, with a network, until the service has "
            "confirmed it.",
        ]
        assert sorted(parts[0].splitlines()[1:]) == sorted(
            [
                f"•  {NAME} · Angel Studios",
                f"•  {StandIn.NON_ASCII[0]} · Angel Studios",
                f"•  {NAME} · {service_name('idempotent')}",
            ]
        )
        assert parts[1].splitlines()[1:] == [
            f"•  {NAME} · {service_name('linxup')} · {NAMES[RADIO]}"
        ]
        # A server without a list of refused tokens goes on accepting this one until it ends.
        (unproved,) = parts[2].splitlines()[1:]
        assert unproved.startswith(f"•  {NAME} · {service_name('jwt-audit')} · {NAMES[PLAYER]} · ")
        kodi.remote.press("Back")
        viewer.wait_for_question()
        kodi.screenshot("105-everything-forget")
        assert "waiting for the server: 2" in kodi.remote.label("Control.GetLabel(9)")
        kodi.remote.press("Select")  # Cancel
        viewer.wait_for_settings()
        living = {name: alive(server) for name, server in servers.items() if name != "linxup"}
        assert living == {"angel": 0, "idempotent": 0, "jwt-audit": 1}

        kodi.quit()
        servers["linxup"].start()
        assert alive(servers["linxup"]) == 1
        kodi.start()
        kodi.remote.wait_for(
            lambda: alive(servers["linxup"]) == 0, "the rest to be delivered", PROMISED_S, 0.5
        )
        kodi.remote.wait_for(lambda: len(confirmed(viewer)) == 1, "the word to the viewer", 20)


def alive(server: StandIn) -> int:
    sessions: list[dict[str, Any]] = server.sessions()
    return sum(session["alive"] for session in sessions)


def service_name(provider: str) -> str:
    return built_in()[provider]
