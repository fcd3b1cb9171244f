"""Two services with somebody logged in at each: what is shown and what is ended belong together."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Callable

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.services import parameters_for
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
OTHER, OTHERS_PASSWORD = StandIn.NON_ASCII


@pytest.fixture
def second(stand_in: Callable[[str], StandIn]) -> StandIn:
    """The service that is chosen later."""
    return stand_in("idempotent").reset()


@pytest.fixture
def unstarted_kodi(unstarted_kodi: Kodi, server: StandIn, second: StandIn, tmp_path: Path) -> Kodi:
    """The first service is shown, and the second is set up."""
    unstarted_kodi.choose_service("angel", parameters_for("idempotent", second))
    authorities = tmp_path / "authorities.pem"
    authorities.write_text("\n".join(Path(one.ca_file).read_text() for one in (server, second)))
    unstarted_kodi.environment = {
        "SESSIONKEEPER_RESOLVE": ",".join(server.resolve + second.resolve),
        "SESSIONKEEPER_CA_FILE": str(authorities),
    }
    return unstarted_kodi


def alive(server: StandIn) -> list[str]:
    return [session["email"] for session in server.sessions() if session["alive"]]


def setting(kodi: Kodi, name: str) -> str:
    settings = ET.parse(kodi.data_directory / "settings.xml").getroot()
    return settings.findtext(f"setting[@id='{name}']") or ""


def test_the_account_in_the_question_is_the_one_that_ends(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn, second: StandIn
) -> None:
    at_second = Witness(kodi, "idempotent", parameters_for("idempotent", second))
    witness.log_in(NAME, PASSWORD)
    at_second.log_in(OTHER, OTHERS_PASSWORD)
    assert (alive(server), alive(second)) == ([NAME], [OTHER])

    viewer.choose_service("Idempotent logout")
    # What the dialog shows is what was in the file when it opened.
    assert setting(kodi, "service_label") == "Idempotent logout"
    assert OTHER in setting(kodi, "account_label")
    kodi.screenshot("80-second-service")
    viewer.press_setting("Log out")
    viewer.wait_for_question()
    kodi.screenshot("81-log-out-of-the-second")
    question = kodi.remote.label("Control.GetLabel(9)")
    assert OTHER in question
    assert "Idempotent logout" in question
    kodi.remote.press("Select")
    viewer.wait_for_settings()
    assert (alive(server), alive(second)) == ([NAME], [OTHER]), "the default is Cancel"

    viewer.log_out()
    assert (alive(server), alive(second)) == ([NAME], [])
    assert witness.status()["state"] == "signed_in"
    # The choice was saved when it was made: leaving the dialog takes nothing back.
    viewer.leave_settings()
    assert setting(kodi, "provider") == "idempotent"
