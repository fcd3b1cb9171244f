"""The QR code as a picture file, which is the only form that Kodi draws.

Owns the file: in Kodi's temporary directory, readable by this user only, with a name that says
nothing. It holds what the screen shows, the address with the code. It is removed with the window;
one that a power cut left behind, at the service's next start.
"""

from __future__ import annotations

import os
import tempfile
from typing import Sequence

import xbmcvfs

from sessionkeeper import qr
from sessionkeeper.kodi import log

PREFIX, ENDING = "sessionkeeper-qr-", ".png"
# The picture is reduced to its place on the screen, even at 1080 lines: no edge is ever blown up.
SCALE = 16


def write(rows: Sequence[str]) -> str:
    """The path of a new picture of these modules."""
    number, path = tempfile.mkstemp(ENDING, PREFIX, _directory())
    with os.fdopen(number, "wb") as file:
        file.write(qr.png(rows, SCALE))
    return path


def remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError as error:
        log.warning(f"a picture cannot be removed: {type(error).__name__}")


def remove_all() -> None:
    """Those that an earlier run of Kodi left behind."""
    try:
        names = os.listdir(_directory())
    except OSError:
        return
    for name in names:
        if name.startswith(PREFIX) and name.endswith(ENDING):
            remove(os.path.join(_directory(), name))


def _directory() -> str:
    path: str = xbmcvfs.translatePath("special://temp/")
    return path
