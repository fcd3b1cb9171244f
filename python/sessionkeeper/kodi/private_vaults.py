"""The vaults that add-ons keep for themselves, as far as they have registered them: looked after,
and logged out of, like the shared one.
"""

from __future__ import annotations

from sessionkeeper.errors import Error
from sessionkeeper.kodi import addons, log, notifications, settings
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import Keeper


def open_all(shared: Keeper, stop: Callable[[], bool]) -> dict[str, Keeper]:
    """Their keepers, by data directory. Tells the viewer, once, of each vault that has vanished.
    One that cannot be opened is left out, and is in the log.
    """
    registered = shared.vaults()
    for gone in registered.vanished:
        log.warning(f"the vault of {gone.addon} has vanished, and with it the ends of its sessions")
        notifications.warn(text("told_vault_vanished"), addons.name(gone.addon))
    keepers = {}
    for vault in registered.vaults:
        try:
            keepers[vault.data_dir] = settings.open_vault(vault, stop)
        except Error as error:
            log.warning(f"the vault of {vault.addon}: {error.code}: {error.message}")
    return keepers
