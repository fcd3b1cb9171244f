"""`sessionkeeper.open` in Kodi: whose sessions they are, and on whose behalf they are used.

Owns the rule of who is asked. At the shared directory, `script.sessionkeeper`'s own in this Kodi
profile, every other add-on is a caller that needs the viewer's permission; anywhere else an add-on
is by itself. Runs in every invocation of every add-on, so next to nothing is imported.
"""

from __future__ import annotations

import os

import xbmcaddon

from sessionkeeper.kodi import sources
from sessionkeeper.kodi.paths import data_directory, is_local
from sessionkeeper.kodi.strings import ADDON_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def options(data_dir: str | None, *, private: bool) -> dict[str, Any]:
    """The options that follow from the calling add-on. Raises InvalidInput where Kodi does not know
    which one it is, and that matters.
    """
    addon = _calling_addon()
    files = {"sources": sources.near(addon), "use_stored": False}
    return {**files, **_place(addon, data_dir, private=private)}


def _place(addon: str, data_dir: str | None, *, private: bool) -> dict[str, Any]:
    if private:
        data_dir = os.path.abspath(data_directory(_known(addon)))
    if data_dir and not is_local(ADDON_ID):
        return {"data_dir": data_dir}
    shared = os.path.abspath(data_directory(ADDON_ID))
    data_dir = data_dir or shared
    if addon == ADDON_ID:
        return {"data_dir": data_dir}
    # Whatever it is called.
    if os.path.realpath(data_dir) == os.path.realpath(shared):
        from sessionkeeper.kodi import viewer_options

        return {"data_dir": shared, "caller": _known(addon), **viewer_options.read()}
    # The service looks after private vaults as well, where it knows of them.
    return {"data_dir": data_dir, **({"register_in": shared, "addon": addon} if addon else {})}


def _calling_addon() -> str:
    """The id of the add-on that this interpreter runs for; "" for a script that Kodi was given by
    its path, which is no add-on's.
    """
    try:
        return str(xbmcaddon.Addon().getAddonInfo("id"))
    except RuntimeError:
        return ""


def _known(addon: str) -> str:
    if addon:
        return addon
    from sessionkeeper.errors import InvalidInput

    raise InvalidInput(
        "Kodi does not know which add-on this script belongs to, so the viewer cannot be asked.",
        "Run it as an add-on, as with RunScript(its.id), or give data_dir.",
    )
