"""A window of the add-on's own, shown beside the running script instead of modally.

Owns that it opens, tells which button was pressed, and closes, whatever happens. Kodi's callbacks
come in while `stopped` is asked, which a running operation does every 100 ms, so no thread is
needed and a button works at once, whatever the network does. The layouts are in
resources/skins/Default/1080i, and name their controls by numbers.
"""

from __future__ import annotations

import time

import xbmc
import xbmcaddon
import xbmcgui

from sessionkeeper.kodi.strings import ADDON_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    W = TypeVar("W", bound="Window")

# Previous menu, back, and stop: what remote controls have to leave a dialog with.
LEAVING = (10, 92, 13)
# Until Kodi has laid the window out.
LAYING_OUT_S = 5.0
# How long Kodi's callbacks are waited for each time. The wait itself is what delivers them.
PUMP_S = 0.01
REST_S = 0.1


def is_visible(layout: str) -> bool:
    return bool(xbmc.getCondVisibility(f"Window.IsVisible({layout})"))


class Dialog(xbmcgui.WindowXMLDialog):
    """What Kodi calls back."""

    laid_out = False
    left = False
    pressed = 0

    def onInit(self) -> None:  # noqa: N802
        self.laid_out = True

    def onAction(self, action: xbmcgui.Action) -> None:  # noqa: N802
        if action.getId() in LEAVING:
            self.left = True

    def onClick(self, control: int) -> None:  # noqa: N802
        self.pressed = control


class Window:
    """Open from `with` to its end, however that comes about."""

    layout: str

    def __init__(self) -> None:
        self._monitor = xbmc.Monitor()
        path = xbmcaddon.Addon(ADDON_ID).getAddonInfo("path")
        self._dialog = Dialog(self.layout, path, "Default", "1080i")
        self._closed = False
        self._words: dict[int, str] = {}

    def __enter__(self: W) -> W:  # noqa: PYI019 - Python 3.8
        self._dialog.show()
        give_up_at = time.monotonic() + LAYING_OUT_S
        while not self._dialog.laid_out and time.monotonic() < give_up_at:
            if self._monitor.waitForAbort(PUMP_S):
                break
        self._fill()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _fill(self) -> None:
        """Puts in what is shown from the beginning."""

    def stopped(self) -> bool:
        """Whether the viewer, or Kodi, is done with this window. Asked every 100 ms."""
        ended = self._monitor.waitForAbort(PUMP_S)
        if self._closed or ended or self._dialog.left or not is_visible(self.layout):
            self._close()  # at once; what the operation still has to say can take a second
            return True
        return False

    def wait_for_button(self) -> int:
        """The number of the button that the viewer presses; 0 when done with this window."""
        while not self.stopped():
            if self._dialog.pressed:
                return self._dialog.pressed
            self._monitor.waitForAbort(REST_S)
        return 0

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            self._dialog.close()

    # The controls

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

    def _focus(self, number: int) -> None:
        self._dialog.setFocusId(number)

    def _control(self, number: int) -> Any:
        return self._dialog.getControl(number)
