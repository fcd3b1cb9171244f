"""What a logout leaves to Kodi: window properties to clear, builtins to run.

A provider file names them; the keeper queues them in the transaction that removes the session, and
hands each out until it is done. The builtins that are run stand here, whatever the queue says: a
provider file comes from anywhere, and a builtin could do anything. Each runs alone; a failure is
noted and stops nothing.
"""

from __future__ import annotations

import xbmc

from sessionkeeper.kodi import home_window, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import Keeper

# Those that a provider file may name; a test compares the two.
BUILTINS = (
    "ActivateWindow(Home)",
    "CleanLibrary(video)",
    "Container.Refresh",
    "PlayerControl(Stop)",
    "Playlist.Clear",
    "ReloadSkin()",
    "UpdateLibrary(music)",
    "UpdateLibrary(video)",
)


class NotAllowed(Exception):
    """A builtin that is not on the list."""


def clear_window_property(name: str) -> None:
    home_window.home().clearProperty(name)


def run_builtin(name: str) -> None:
    if name not in BUILTINS:
        raise NotAllowed("this builtin is not run after a logout")
    xbmc.executebuiltin(name)


# For `Keeper.finish_logout`, in any add-on that embeds Sessionkeeper.
HANDLERS: dict[str, Callable[[str], None]] = {
    "window_property": clear_window_property,
    "builtin": run_builtin,
}


def finish(keeper: Keeper) -> None:
    """Does what logouts have left to do. Never raises for what fails."""
    for result in keeper.finish_logout(HANDLERS):
        if result.outcome == "failed":
            log.warning(f"after the logout, {result.name} failed: {result.detail}")
