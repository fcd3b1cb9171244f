"""A settings file that a power cut left half written.

Kodi writes it in place, so this is what a kill in that moment leaves. Kodi does not repair it.
"""

from __future__ import annotations

from tests.kodi.harness import Kodi
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn


def test_the_addon_works_again_by_itself(kodi: Kodi, viewer: Viewer, witness: Witness) -> None:
    file = kodi.data_directory / "settings.xml"
    kodi.remote.wait_for(file.exists, "the service to write the settings")
    kodi.kill()
    witness.log_in(*StandIn.VIEWER)
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b""):
        file.write_bytes(damaged)
        kodi.start()
        kodi.run("logout")
        viewer.wait_for_question()
        assert viewer.notifications() == [
            "The settings could not be read and are back to their defaults."
        ]
        # It is away for a moment: removed, and not written anew yet.
        kodi.remote.wait_for(
            lambda: file.exists() and StandIn.VIEWER[0] in file.read_text("utf-8"),
            "the state in the settings",
        )
        kodi.kill()
    assert witness.status()["state"] == "signed_in"
