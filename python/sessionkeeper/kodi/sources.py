"""Where provider files are in Kodi: those that come up to date by themselves, those that add-ons
bring, the viewer's own.

An add-on brings services by having them in a directory of its own and requiring ours; one that is
switched off brings none. What the files say, the core reads. `near` runs in every invocation of
every add-on, so next to nothing is imported, and the other add-ons are not asked for.
"""

from __future__ import annotations

import xbmcaddon

from sessionkeeper.kodi import paths
from sessionkeeper.kodi.strings import ADDON_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    Source = dict[str, Any]

# The built-in services, released more often than the add-on is.
UPDATES = "resource.sessionkeeper.providers"
UPDATED_FILES = "resources/providers"
# In an add-on that requires ours.
ADDONS_FILES = "resources/sessionkeeper"
# In our data directory.
VIEWERS_FILES = "providers"


def near(calling: str) -> list[Source]:
    """What an add-on finds its own services in, and the built-in ones."""
    sources = [*_updates(), *_viewers()]
    if calling and calling != ADDON_ID:
        sources += _source(_path_of(calling), ADDONS_FILES, addon=calling)
    return sources


def everywhere() -> list[Source]:
    """The services of all add-ons as well."""
    sources = [*_updates(), *_viewers()]
    for addon, path in sorted(_dependents()):
        sources += _source(path, ADDONS_FILES, addon=addon)
    return sources


def _updates() -> list[Source]:
    return _source(_path_of(UPDATES), UPDATED_FILES, replaces="older")


def _viewers() -> list[Source]:
    local = paths.is_local(ADDON_ID)
    if not local:
        return []
    return _source(paths.data_directory(ADDON_ID), VIEWERS_FILES, replaces="not_newer")


def _source(root: str, below: str, **more: Any) -> list[Source]:
    """None where there is no such add-on, or where the core could not read it."""
    if not root or "://" in root:
        return []
    return [{"directory": f"{root.rstrip('/')}/{below}", **more}]


def _path_of(addon: str) -> str:
    """ "" for one that is not installed, or switched off."""
    try:
        return str(xbmcaddon.Addon(addon).getAddonInfo("path"))
    except RuntimeError:
        return ""


def _dependents() -> Iterator[tuple[str, str]]:
    """The add-ons that require ours and are switched on, with their paths."""
    import json

    import xbmc

    asked = {"enabled": True, "properties": ["dependencies", "path"]}
    request = {"jsonrpc": "2.0", "id": 1, "method": "Addons.GetAddons", "params": asked}
    answer = json.loads(xbmc.executeJSONRPC(json.dumps(request)))
    for addon in answer.get("result", {}).get("addons", ()):
        needed = (needed.get("addonid") for needed in addon.get("dependencies", ()))
        if ADDON_ID in needed:
            yield str(addon["addonid"]), str(addon.get("path", ""))
