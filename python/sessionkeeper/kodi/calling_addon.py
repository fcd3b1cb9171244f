"""The settings of the add-on that calls: read, and emptied.

Each Addon object has read settings.xml when it was made and writes it whole. So the values are
emptied by a fresh one, and only where that one has seen them: it then has seen the others too.
"""

from __future__ import annotations

import xbmcaddon

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Mapping


def read(settings: Iterable[str]) -> dict[str, str]:
    """SECRET. Those that are not empty."""
    addon = xbmcaddon.Addon()
    values = {setting: str(addon.getSetting(setting)) for setting in settings}
    return {setting: value for setting, value in values.items() if value}


def empty(values: Mapping[str, str]) -> bool:
    """Those that still have these values. Always True: Kodi does not say whether it worked."""
    addon = xbmcaddon.Addon()
    for setting, value in values.items():
        if addon.getSetting(setting) == value:
            addon.setSetting(setting, "")
    return True
