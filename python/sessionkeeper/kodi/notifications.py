"""Notifications: the short words that slide in at the edge of the screen.

Kodi shows about 26 characters at a time and scrolls the rest, so the outcome comes first. They are
silent: no sound for something that the viewer did not start.
"""

from __future__ import annotations

import xbmcaddon
import xbmcgui

from sessionkeeper.kodi import log
from sessionkeeper.kodi.strings import ADDON_ID

LONG_MS = 12000
SHORT_MS = 4000
ONE_GLANCE = 26


def tell(message: str) -> None:
    _show(message, xbmcaddon.Addon(ADDON_ID).getAddonInfo("icon"))


def warn(message: str) -> None:
    _show(message, xbmcgui.NOTIFICATION_WARNING)


def _show(message: str, icon: str) -> None:
    log.debug(f"notification: {message}")
    time_ms = SHORT_MS if len(message) <= ONE_GLANCE else LONG_MS
    xbmcgui.Dialog().notification("Sessionkeeper", message, icon, time_ms, False)
