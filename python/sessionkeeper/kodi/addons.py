"""Other add-ons as the viewer knows them: by name and icon.

One that was removed, or that is switched off, has only its id left.
"""

from __future__ import annotations

import xbmcaddon

from sessionkeeper.kodi import dialogs


def name(addon_id: str) -> str:
    return dialogs.plain(_info(addon_id, "name")) or addon_id


def icon(addon_id: str) -> str:
    """Its path; "" where there is none."""
    return _info(addon_id, "icon")


def is_installed(addon_id: str) -> bool:
    return bool(_info(addon_id, "id"))


def _info(addon_id: str, which: str) -> str:
    try:
        return str(xbmcaddon.Addon(addon_id).getAddonInfo(which))
    except RuntimeError:
        return ""
