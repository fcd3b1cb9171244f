"""The window of a login with a code: the address, the code, a QR code of the address, the time that
is left.

Owns what is on the screen and which button was pressed; login.py decides what that means. The
layout is resources/skins/Default/1080i/sessionkeeper-device-login.xml, whose control numbers stand
here. The window is shown beside the running script instead of modally: Kodi's callbacks come in
while `stopped` is asked, which a running operation does every 100 ms, so no thread is needed and a
button works at once, whatever the network does.

Kodi draws a QR code from a picture file only. It lies in Kodi's temporary directory, readable by
this user only, under a name that says nothing, and holds what the screen shows. It is removed with
the window; one that a power cut left behind, at the service's next start.
"""

from __future__ import annotations

import os
import time

import xbmc
import xbmcaddon
import xbmcgui
import xbmcvfs

from sessionkeeper.kodi import log
from sessionkeeper.kodi.strings import ADDON_ID, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sessionkeeper import DeviceLogin

LAYOUT = "sessionkeeper-device-login.xml"
HEADING, ADDRESS_HINT, ADDRESS, CODE_HINT, CODE, REMAINING, QR, QR_HINT, MESSAGE = range(10, 19)
NEW_CODE, CANCEL = 21, 22
ADDRESS_AND_CODE, QR_CODE = 30, 31
LABELS = {
    ADDRESS_HINT: "code_open_address",
    CODE_HINT: "code_enter",
    QR_HINT: "code_scan",
    NEW_CODE: "code_new",
    CANCEL: "cancel",
}
# Previous menu, back, and stop: what remote controls have to leave a dialog with.
LEAVING = (10, 92, 13)
# Until Kodi has laid the window out.
LAYING_OUT_S = 5.0
# How long Kodi's callbacks are waited for each time. The wait itself is what delivers them.
PUMP_S = 0.01
REST_S = 0.1
PREFIX, ENDING = "sessionkeeper-qr-", ".png"
# The picture is reduced to its place on the screen, even at 1080 lines: no edge is ever blown up.
SCALE = 16


class Window(xbmcgui.WindowXMLDialog):
    """What Kodi calls back."""

    laid_out = False
    left = False
    wants_new_code = False

    def onInit(self) -> None:  # noqa: N802
        self.laid_out = True

    def onAction(self, action: xbmcgui.Action) -> None:  # noqa: N802
        if action.getId() in LEAVING:
            self.left = True

    def onClick(self, control: int) -> None:  # noqa: N802
        if control == CANCEL:
            self.left = True
        elif control == NEW_CODE:
            self.wants_new_code = True


class CodeWindow:
    """The window, open from `with` to its end, however that comes about."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._monitor = xbmc.Monitor()
        path = xbmcaddon.Addon(ADDON_ID).getAddonInfo("path")
        self._window = Window(LAYOUT, path, "Default", "1080i")
        self._closed = False
        self._login: DeviceLogin | None = None
        self._picture = ""
        self._words: dict[int, str] = {}

    def __enter__(self) -> CodeWindow:
        self._window.show()
        give_up_at = time.monotonic() + LAYING_OUT_S
        while not self._window.laid_out and time.monotonic() < give_up_at:
            if self._monitor.waitForAbort(PUMP_S):
                break
        self._say(HEADING, text("code_heading", service=self._service))
        for control, name in LABELS.items():
            self._say(control, text(name))
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    # What is shown

    def show_asking(self) -> None:
        """While the service is asked for a code."""
        self._change(None, text("code_asking", service=self._service))

    def show_code(self, login: DeviceLogin) -> None:
        self._change(login, "")
        self._say(ADDRESS, login.verification_uri)
        self._say(CODE, login.user_code)
        rows = login.qr()
        if rows:
            self._picture = _write_picture(rows)
            self._control(QR).setImage(self._picture, False)  # False: no copy in Kodi's cache
        self._show(bool(rows), QR_CODE, QR_HINT)
        self._show_remaining(login)

    def show_expired(self) -> None:
        """Offers a new code."""
        self._change(None, text("code_expired"))
        self._show(True, NEW_CODE)
        self._window.setFocusId(NEW_CODE)

    # What the viewer does

    def stopped(self) -> bool:
        """Whether the viewer, or Kodi, is done with this window. Asked every 100 ms."""
        ended = self._monitor.waitForAbort(PUMP_S)
        if self._closed or ended or self._window.left or self._closed_by_kodi():
            self._close()  # at once; what the operation still has to say can take a second
            return True
        if self._login is not None:
            self._show_remaining(self._login)
        return False

    def wait_for_new_code(self) -> bool:
        """Whether the viewer wants another code; False when done with this window."""
        while not self.stopped():
            if self._window.wants_new_code:
                return True
            self._monitor.waitForAbort(REST_S)
        return False

    def _closed_by_kodi(self) -> bool:
        return not xbmc.getCondVisibility(f"Window.IsVisible({LAYOUT})")

    def _close(self) -> None:
        self._remove_picture()
        if not self._closed:
            self._closed = True
            self._window.close()

    # The controls

    def _change(self, login: DeviceLogin | None, message: str) -> None:
        """From one view of the window to another; nothing of the old one stays."""
        self._remove_picture()
        self._login = login
        self._say(MESSAGE, message)
        self._show(login is not None, ADDRESS_AND_CODE)
        self._show(False, QR_CODE, QR_HINT, NEW_CODE)
        self._window.wants_new_code = False
        self._window.setFocusId(CANCEL)

    def _show_remaining(self, login: DeviceLogin) -> None:
        minutes, seconds = divmod(login.remaining(), 60)
        self._say(REMAINING, text("code_remaining", time=f"{minutes}:{seconds:02d}"))

    def _say(self, number: int, words: str) -> None:
        if self._words.get(number) == words:
            return
        self._words[number] = words
        control = self._control(number)
        if isinstance(control, xbmcgui.ControlTextBox):
            control.setText(words)
        else:
            control.setLabel(words)

    def _show(self, visible: bool, *numbers: int) -> None:
        for number in numbers:
            self._control(number).setVisible(visible)

    def _control(self, number: int) -> Any:
        return self._window.getControl(number)

    def _remove_picture(self) -> None:
        if self._picture:
            _remove_file(self._picture)
            self._picture = ""


def remove_pictures() -> None:
    """Those that an earlier run of Kodi left behind."""
    try:
        names = os.listdir(_picture_directory())
    except OSError:
        return
    for name in names:
        if name.startswith(PREFIX) and name.endswith(ENDING):
            _remove_file(os.path.join(_picture_directory(), name))


def _write_picture(rows: list[str]) -> str:
    """The path of a new picture of these modules."""
    from sessionkeeper import qr

    path = os.path.join(_picture_directory(), f"{PREFIX}{os.urandom(8).hex()}{ENDING}")
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(qr.png(rows, SCALE))
    return path


def _remove_file(path: str) -> None:
    try:
        os.remove(path)
    except OSError as error:
        log.warning(f"a picture cannot be removed: {type(error).__name__}")


def _picture_directory() -> str:
    path: str = xbmcvfs.translatePath("special://temp/")
    return path
