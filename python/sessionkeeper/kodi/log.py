"""Lines for Kodi's log.

Owns how a line looks there: the add-on's id in front, control characters escaped, because a NUL
cuts Kodi's log and a line break would let a server's words pass for a line of their own. The lines
of the native module come redacted; this file never formats a value that may be a secret.
"""

from __future__ import annotations

import xbmc

from sessionkeeper.kodi.strings import ADDON_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper

# The native module counts levels as Kodi does: 0 debug, 1 info, 2 warning, 3 error.
LEVELS = (xbmc.LOGDEBUG, xbmc.LOGINFO, xbmc.LOGWARNING, xbmc.LOGERROR)
ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127)}


def write(level: int, message: str) -> None:
    xbmc.log(f"{ADDON_ID}: {message.translate(ESCAPES)}", LEVELS[min(max(level, 0), 3)])


def debug(message: str) -> None:
    write(0, message)


def info(message: str) -> None:
    write(1, message)


def warning(message: str) -> None:
    write(2, message)


def error(message: str) -> None:
    write(3, message)


def forward(keeper: Keeper) -> None:
    """Moves the lines that the native module has collected into Kodi's log."""
    for level, line in keeper.take_log():
        write(level, line)
