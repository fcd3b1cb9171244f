"""A session that somebody else has ended at the server: the service notices at the next renewal,
and tells the viewer once.
"""

from __future__ import annotations

import time

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
ENDED = "The session has ended. Please log in again."


@pytest.fixture
def provider_id() -> str:
    return "idempotent"


def test_the_viewer_is_told_once(
    kodi: Kodi, viewer: Viewer, witness: Witness, server: StandIn
) -> None:
    server.settings(token_lifetime=10)
    viewer.log_in(NAME, PASSWORD)
    server.end_session(server.sessions()[-1]["id"])
    viewer.wait_for_notification(ENDED, 60)
    kodi.screenshot("90-ended-elsewhere")
    viewer.wait_for_announcement("session_expired")
    kodi.remote.wait_for(lambda: "Log in" in viewer.shown_settings(), "the settings to follow", 10)
    kodi.screenshot("91-ended-elsewhere-settings")
    asked = len(server.journal("/api/auth/refresh"))
    time.sleep(6)
    assert viewer.notifications().count(ENDED) == 1
    assert len(server.journal("/api/auth/refresh")) == asked
    assert witness.status()["state"] in ("expired", "signed_out")
