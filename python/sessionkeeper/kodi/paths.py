"""Where an add-on's sessions are kept.

Owns the translation of Kodi's special:// paths and the refusal of places where a session cannot be
stored: SQLite's locks do not hold on a network share. Computed anew at each call, because a switch
of the Kodi profile changes the answer within one process. In Kodi `sessionkeeper.open` asks here in
every invocation of every add-on, so next to nothing is imported.
"""

from __future__ import annotations

import xbmcvfs


def is_local(addon_id: str) -> bool:
    """Whether the data directory of an add-on is on a local disk."""
    return "://" not in _translated(addon_id)


def data_directory(addon_id: str) -> str:
    """The data directory of an add-on. Raises StorageError when it is not on a local disk."""
    path = _translated(addon_id)
    if "://" in path:
        from sessionkeeper.errors import StorageError
        from sessionkeeper.kodi.strings import text

        scheme = path.split("://", 1)[0]  # the rest may hold the share's user name and password
        raise StorageError(
            text("data_directory_not_local", scheme=scheme), text("data_directory_hint")
        )
    return path


def _translated(addon_id: str) -> str:
    path: str = xbmcvfs.translatePath(f"special://profile/addon_data/{addon_id}/")
    return path
