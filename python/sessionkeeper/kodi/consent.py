"""The question whether an add-on may use an account.

Owns what is on the screen and what counts as an answer: a button. Whoever leaves the window, with
Back or because Kodi ends, has said neither yes nor no, and is asked again another time: a key that
was pressed by mistake locks no add-on out for good. The layout is sessionkeeper-permission.xml,
whose control numbers stand here. "Not now" has the focus.
"""

from __future__ import annotations

from sessionkeeper.kodi import addons, dialogs, log, window
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import Account

HEADING, ICON, QUESTION, HINT = range(10, 14)
ALLOW, NOT_NOW = 21, 22
ANSWERS = {ALLOW: True, NOT_NOW: False}


class PermissionWindow(window.Window):
    layout = "sessionkeeper-permission.xml"

    def __init__(
        self, addon_id: str, service: str, account: Account, stop: Callable[[], bool] | None
    ) -> None:
        super().__init__()
        self._icon = addons.icon(addon_id)
        self._stop = stop
        who = dialogs.plain(account.label)
        self._texts = {
            HEADING: text("permission_heading", addon=addons.name(addon_id)),
            QUESTION: text("permission_question", account=who, service=service),
            HINT: text("permission_hint"),
            ALLOW: text("allow"),
            NOT_NOW: text("not_now"),
        }

    def _fill(self) -> None:
        for control, words in self._texts.items():
            self._say(control, words)
        if self._icon:
            self._control(ICON).setImage(self._icon)
        self._focus(NOT_NOW)

    def stopped(self) -> bool:
        if self._stop is not None and self._stop():
            self._close()
        return super().stopped()


def ask(
    addon_id: str, service: str, account: Account, stop: Callable[[], bool] | None = None
) -> bool | None:
    """The viewer's answer; None where she gave none, and where such a question is on the screen
    already, as when an add-on is called twice.
    """
    if window.is_visible(PermissionWindow.layout):
        return None
    with PermissionWindow(addon_id, service, account, stop) as shown:
        answer = ANSWERS.get(shown.wait_for_button())
    log.info(f"asked whether {addon_id} may use an account: {answer}")
    return answer
