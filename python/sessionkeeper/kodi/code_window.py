"""The window of a login with a code: the address, the code, a QR code of the address, the time that
is left.

Owns what is on the screen; login.py decides what a button means. The layout is
sessionkeeper-device-login.xml, whose control numbers stand here.

Kodi draws a QR code from a picture file only. It lies in Kodi's temporary directory, readable by
this user only, under a name that says nothing, and holds what the screen shows. It is removed with
the window; one that a power cut left behind, at the service's next start.
"""

from __future__ import annotations

import os

import xbmcvfs

from sessionkeeper.kodi import log
from sessionkeeper.kodi.strings import text
from sessionkeeper.kodi.window import Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import DeviceLogin

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
PREFIX, ENDING = "sessionkeeper-qr-", ".png"
# The picture is reduced to its place on the screen, even at 1080 lines: no edge is ever blown up.
SCALE = 16


class CodeWindow(Window):
    layout = "sessionkeeper-device-login.xml"

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service
        self._login: DeviceLogin | None = None
        self._picture = ""

    def _fill(self) -> None:
        self._say(HEADING, text("code_heading", service=self._service))
        for control, name in LABELS.items():
            self._say(control, text(name))

    # What is shown

    def show_asking(self) -> None:
        """While the service is asked for a code."""
        self._change(None, text("code_asking", service=self._service))

    def show_code(self, login: DeviceLogin) -> None:
        self._change(login, "")
        self._say(ADDRESS, login.verification_uri)
        self._say(CODE_HINT, text("code_enter") if login.user_code else "")
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
        self._focus(NEW_CODE)

    # What the viewer does

    def stopped(self) -> bool:
        if self._dialog.pressed == CANCEL:
            self._close()
        if super().stopped():
            return True
        if self._login is not None:
            self._show_remaining(self._login)
        return False

    def wait_for_new_code(self) -> bool:
        """Whether the viewer wants another code; False when done with this window."""
        return self.wait_for_button() == NEW_CODE

    def _close(self) -> None:
        self._remove_picture()
        super()._close()

    # The controls

    def _change(self, login: DeviceLogin | None, message: str) -> None:
        """From one view of the window to another; nothing of the old one stays."""
        self._remove_picture()
        self._login = login
        self._say(MESSAGE, message)
        self._show(login is not None, ADDRESS_AND_CODE)
        self._show(False, QR_CODE, QR_HINT, NEW_CODE)
        self._dialog.pressed = 0
        self._focus(CANCEL)

    def _show_remaining(self, login: DeviceLogin) -> None:
        minutes, seconds = divmod(login.remaining(), 60)
        self._say(REMAINING, text("code_remaining", time=f"{minutes}:{seconds:02d}"))

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
