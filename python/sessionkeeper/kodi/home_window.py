"""Kodi's home window: its properties are the one thing that all interpreters see at once."""

from __future__ import annotations

import xbmcgui

HOME = 10000


def home() -> xbmcgui.Window:
    return xbmcgui.Window(HOME)
