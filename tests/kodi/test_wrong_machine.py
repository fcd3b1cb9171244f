"""A compiled module that is made for another machine: said in one sentence, once without being
asked, and not by errors at every start.
"""

from __future__ import annotations

import time

import pytest

from sessionkeeper import loading
from tests.kodi.harness import Kodi
from tests.kodi.staging import ADDON_ID
from tests.kodi.viewer import SETTINGS, Viewer

DOES_NOT_RUN = "Sessionkeeper does not run on this device."
INSTALL = f"Install the version for {loading.platform_tag()}."
# e_machine of the ELF header: where it is, and its numbers for x86-64 and AArch64.
MACHINE, X86_64, AARCH64 = slice(18, 20), (62).to_bytes(2, "little"), (183).to_bytes(2, "little")


@pytest.fixture
def unstarted_kodi(unstarted_kodi: Kodi) -> Kodi:
    (module,) = unstarted_kodi.addon.rglob("_native*.so")
    content = bytearray(module.read_bytes())
    content[MACHINE] = AARCH64 if content[MACHINE] == X86_64 else X86_64
    module.write_bytes(content)
    return unstarted_kodi


def test_one_plain_sentence_once(kodi: Kodi, viewer: Viewer) -> None:
    viewer.wait_for_notification(f"Does not run on this device. {INSTALL}")
    kodi.remote.wait_for_toast()
    kodi.screenshot("95-wrong-machine-toast")
    look_at_the_dialog(kodi, viewer)
    assert len(viewer.notifications()) == 1
    assert len(complaints(kodi)) == 1

    kodi.quit()
    kodi.start()
    time.sleep(3)
    look_at_the_dialog(kodi, viewer, "logout", "settings")
    assert viewer.notifications() == []
    assert complaints(kodi) == []


def look_at_the_dialog(kodi: Kodi, viewer: Viewer, *arguments: str) -> None:
    kodi.run(*arguments)
    words = viewer.wait_for_message()
    kodi.screenshot("96-wrong-machine")
    assert words.split("[CR]") == [DOES_NOT_RUN, INSTALL]
    kodi.remote.press("Select")
    time.sleep(2)
    assert kodi.remote.dialog() != SETTINGS, "nothing there would work"


def complaints(kodi: Kodi) -> list[str]:
    """What Kodi's log says of the add-on that is no mere information."""
    lines = [line for line in kodi.log().splitlines() if ADDON_ID in line]
    return [line for line in lines if " error <" in line or " warning <" in line]
