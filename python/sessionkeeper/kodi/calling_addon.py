"""The settings of the add-on that calls: read, and emptied.

Each Addon object has read settings.xml when it was made and writes it whole. So the values are
emptied by a fresh one, and only where that one has seen them: it then has seen the others too.
"""

from __future__ import annotations

import xbmcaddon

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable


def read(settings: Iterable[str]) -> dict[str, str]:
    """SECRET. Those that are not empty."""
    addon = xbmcaddon.Addon()
    values = {setting: str(addon.getSetting(setting)) for setting in settings}
    return {setting: value for setting, value in values.items() if value}


def empty(settings: Iterable[str]) -> None:
    addon = xbmcaddon.Addon()
    for setting in settings:
        if addon.getSetting(setting):
            addon.setSetting(setting, "")
