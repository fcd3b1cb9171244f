"""The file with the add-on's settings: read whole, never remembered.

Kodi rewrites settings.xml in place, whole, from the memory of one Addon object, and every
interpreter has its own objects. So a fresh object may meet a file that is being written, or one
that a power cut left half written: it then answers with the defaults, and saving it would lose the
viewer's choices; a settings dialog that opens in such a moment has no settings in it. This file
owns the rules that follow: never use an object that has not read the file, never keep one, take a
damaged file away, or the add-on would never work again, and write nothing while the dialog opens.
Every add-on that opens the shared accounts reads it, so next to nothing is imported.

Not by `Addon.getSettings`: of each invocation that calls it, Kodi 20.1 keeps 52 KiB for ever.
"""

from __future__ import annotations

import os
import time

import xbmc
import xbmcaddon

from sessionkeeper.kodi import paths
from sessionkeeper.kodi.strings import ADDON_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TRIES = 20
PAUSE_MS = 50

# A property of the home window, which all interpreters see: until when nobody is to write the file,
# in seconds since 1970.
OPENING = f"{ADDON_ID}.settings_open_until"
LONGEST_OPENING_S = 2.0


class Settings:
    """The settings as they are in the file now. Now and then an object of Kodi's does not know a
    setting of the add-on; then a fresh one is asked.
    """

    __slots__ = ("_addon",)

    def __init__(self) -> None:
        self._addon = _fresh()

    def text(self, name: str) -> str:
        text: str = self._ask("getSettingString", name)
        return text

    def flag(self, name: str) -> bool:
        flag: bool = self._ask("getSettingBool", name)
        return flag

    def number(self, name: str) -> int:
        number: int = self._ask("getSettingInt", name)
        return number

    def _ask(self, method: str, name: str) -> Any:
        for _ in range(TRIES):
            try:
                return getattr(self._addon, method)(name)
            except TypeError:
                xbmc.sleep(PAUSE_MS)
                self._addon = _fresh()
        raise _unreadable()


def _fresh() -> xbmcaddon.Addon:
    before = _last_written()
    for _ in range(TRIES):
        addon = _read()
        if addon:
            return addon
        xbmc.sleep(PAUSE_MS)
    # Nobody is writing it: it is damaged.
    if before == _last_written():
        _remove()
    addon = _read()
    if addon:
        return addon
    raise _unreadable()


def _unreadable() -> Exception:
    from sessionkeeper.errors import StorageError
    from sessionkeeper.kodi.strings import text

    return StorageError(text("settings_unreadable"))


def write(values: dict[str, str]) -> None:
    """Saves those that differ; each save reports a change to every monitor of the add-on.

    While the add-on's settings dialog is open, Kodi puts them into the dialog instead, which shows
    them at once, and into the file only when the viewer leaves it with OK.
    """
    addon = _fresh()
    for name, value in values.items():
        if addon.getSetting(name) != value:
            _let_dialog_open()
            addon.setSetting(name, value)


def open_dialog(monitor: xbmc.Monitor) -> None:
    """Opens the settings dialog, and returns when it is there, or when Kodi ends."""
    from sessionkeeper.kodi import home_window

    home = home_window.home()
    home.setProperty(OPENING, repr(time.time() + LONGEST_OPENING_S))
    xbmc.executebuiltin(f"Addon.OpenSettings({ADDON_ID})")
    for _ in range(int(LONGEST_OPENING_S * 1000) // PAUSE_MS):
        if xbmc.getCondVisibility("Window.IsVisible(addonsettings)"):
            break
        if monitor.waitForAbort(PAUSE_MS / 1000):
            break
    home.clearProperty(OPENING)


def _let_dialog_open() -> None:
    """What is written once it is open goes into the dialog."""
    from sessionkeeper.kodi import home_window

    home = home_window.home()
    for _ in range(int(LONGEST_OPENING_S * 1000) // PAUSE_MS):
        until = home.getProperty(OPENING)
        # Kodi may have killed who put it there.
        if not until or not 0 < float(until) - time.time() <= LONGEST_OPENING_S:
            return
        xbmc.sleep(PAUSE_MS)


def _read() -> xbmcaddon.Addon | None:
    """An object that has read the file, whole. One that has not answers with the defaults, as if
    nothing were the matter, so it is the file that is looked at.
    """
    before = _last_written()
    addon = xbmcaddon.Addon(ADDON_ID)
    try:
        addon.getSettingString("provider")
    except TypeError:
        return None
    return addon if _is_whole() and before == _last_written() else None


def _is_whole() -> bool:
    try:
        with open(_path(), "rb") as file:
            content = file.read().strip()
    except OSError:
        return True  # There is none, or it is Kodi's to say what is wrong with it.
    return content.endswith((b"</settings>", b"/>"))


def _remove() -> None:
    """The defaults take its place. It is not kept, since the account's address may stand in it."""
    from sessionkeeper.kodi import log, notifications
    from sessionkeeper.kodi.strings import text

    try:
        os.remove(_path())
    except OSError as error:
        log.error(f"the damaged settings file cannot be removed: {type(error).__name__}")
        return
    log.warning("the settings file was damaged: all settings are back to their defaults")
    notifications.warn(text("settings_unreadable"))


def _last_written() -> tuple[int, int] | None:
    try:
        found = os.stat(_path())
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _path() -> str:
    return os.path.join(paths.data_directory(ADDON_ID), "settings.xml")
