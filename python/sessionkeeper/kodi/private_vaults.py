"""The vaults that add-ons keep for themselves, as far as they have registered them: looked after,
logged out of and forgotten, like the shared one.
"""

from __future__ import annotations

from sessionkeeper.errors import Error
from sessionkeeper.kodi import addons, log, notifications, settings
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import Keeper, RegisteredVault


def registered(shared: Keeper) -> tuple[RegisteredVault, ...]:
    """Those that are there. Tells the viewer, once, of each one that has vanished."""
    vaults = shared.vaults()
    for gone in vaults.vanished:
        log.warning(f"the vault of {gone.addon} has vanished, and with it the ends of its sessions")
        notifications.warn(text("told_vault_vanished"), addons.name(gone.addon))
    return vaults.vaults


def open_all(shared: Keeper, stop: Callable[[], bool]) -> list[tuple[str, Keeper]]:
    """Their keepers, with the names of their add-ons. What cannot be opened is in the log."""
    try:
        return [
            (addons.name(vault.addon), settings.open_vault(vault, stop))
            for vault in registered(shared)
        ]
    except Error as error:
        log.warning(f"the vaults of the add-ons: {error.code}: {error.message}")
        return []
