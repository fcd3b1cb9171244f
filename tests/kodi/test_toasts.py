"""Whether the words of a notification are seen at a glance: measured in the default skin's font,
or Kodi's own, and
against the width that the skin gives them. What is longer scrolls, so the outcome has to be inside.

Needs Kodi's files, and no running Kodi.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from sessionkeeper.kodi.strings import IDS
from tests.kodi.test_strings import translations

KODI = Path("/usr/share/kodi")
SKIN = KODI / "addons" / "skin.estuary"
# What Kodi draws with where the skin's font is not installed, as on a Debian without its
# recommendations. It is the wider one.
FALLBACK = KODI / "media" / "Fonts" / "arial.ttf"
HEADING, MESSAGE = "401", "402"  # the controls of a notification
FILLED_IN = {"date": "11/21/2026", "count": "12"}
HEADINGS = ["logout_confirmed"]
# How much of the message has to be seen: all of a short one, else the outcome.
MESSAGES = {
    "logged_in": "Logged in",
    "signed_out": "Logged out",
    "signed_out_deferred": "Logged out here.",
    "signed_out_unconfirmed": "Logged out here.",
    "signed_out_rejected": "Logged out here.",
    "signed_out_local_only": "Logged out here.",
    "already_signed_out": "Nobody was logged in",
    "drained_none_waiting": "No logout is waiting",
    "drained_some": "Still waiting: 12",
    "told_session_expired": "The session has ended.",
    "forgotten": "Forgotten",
    "misfit_told": "Does not run on this device.",
}


def words_of(name: str) -> str:
    return translations()[IDS[name]].format(**FILLED_IN)


def measure(control: str, words: str) -> tuple[float, int]:
    """How wide the words are in this control, and how wide it is."""
    image_font = pytest.importorskip("PIL.ImageFont")
    if not SKIN.is_dir():
        pytest.skip("needs Kodi's default skin")
    notification = ET.parse(SKIN / "xml" / "DialogNotification.xml")
    fonts = ET.parse(SKIN / "xml" / "Font.xml").find("fontset[@id='Default']")
    found = notification.find(f".//control[@id='{control}']")
    assert found is not None
    assert fonts is not None
    font = next(one for one in fonts if one.findtext("name") == found.findtext("font"))
    file = SKIN / "fonts" / str(font.findtext("filename"))
    size = int(str(font.findtext("size")))
    drawn = image_font.truetype(str(file if file.exists() else FALLBACK), size)
    return drawn.getlength(words), int(str(found.findtext("width")))


@pytest.mark.parametrize("name", HEADINGS)
def test_a_heading_is_seen_whole(name: str) -> None:
    needed, given = measure(HEADING, words_of(name))
    assert needed <= given


@pytest.mark.parametrize("name", MESSAGES)
def test_the_outcome_is_seen_at_once(name: str) -> None:
    outcome = MESSAGES[name]
    assert words_of(name).startswith(outcome)
    needed, given = measure(MESSAGE, outcome)
    assert needed <= given
