"""The add-on's settings file: read whole, and never remembered.

Kodi rewrites settings.xml in place, whole, from the memory of one Addon object, and every
interpreter has its own objects. So a fresh object may meet a file that is being written: it then
has no settings at all, and saving it would lose the viewer's choices. This file owns the two rules
that follow: never use an object that is not whole, and never keep one.
"""

from __future__ import annotations

import xbmc
import xbmcaddon

from sessionkeeper.errors import StorageError
from sessionkeeper.kodi.strings import ADDON_ID, text

TRIES = 20
PAUSE_MS = 50


def fresh() -> xbmcaddon.Addon:
    """The add-on with its settings as they are in the file now."""
    for _ in range(TRIES):
        addon = xbmcaddon.Addon(ADDON_ID)
        # It has a default, so it is empty only where nothing was read.
        if addon.getSetting("provider"):
            return addon
        xbmc.sleep(PAUSE_MS)
    raise StorageError(text("settings_unreadable"))


def write(values: dict[str, str]) -> None:
    """Saves those that differ; each save reports a change to every monitor of the add-on.

    While the add-on's settings dialog is open, Kodi puts them into the dialog instead, which shows
    them at once, and into the file only when the viewer leaves it with OK.
    """
    addon = fresh()
    for name, value in values.items():
        if addon.getSetting(name) != value:
            addon.setSetting(name, value)


def flag(value: bool) -> str:
    """A boolean as Kodi stores it."""
    return "true" if value else "false"
