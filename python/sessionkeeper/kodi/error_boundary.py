"""What becomes of errors: those that the keeper gives, and the last handler of every entry point.

Owns what happens when something fails unexpectedly: one safe line in the log, one
notification, no traceback, because Kodi would write it to its log with the
exception's words in it, and those may hold a secret.
"""

from __future__ import annotations

import os

from sessionkeeper.errors import Cancelled, Error
from sessionkeeper.kodi import dialogs, log, notifications
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, TypeVar

    T = TypeVar("T")


def run(main: Callable[..., None], *arguments: Any) -> None:
    """Calls main. SystemExit passes through: Kodi ends scripts with it."""
    try:
        main(*arguments)
    except Exception as error:  # noqa: BLE001 - this is the last handler
        log.error(describe(error))
        notifications.warn(text("failed_unexpectedly"))


def attend(action: Callable[[], T]) -> T | None:
    """Does what the viewer has asked for. None where it failed, which she is shown, and where she
    or Kodi cancelled it.
    """
    try:
        return action()
    except Cancelled:
        log.info("cancelled")
    except Error as error:
        log.error(f"{error.code}: {error.message}")
        dialogs.show_error(dialogs.TITLE, error)
    return None


def describe(error: BaseException) -> str:
    """The kind of the error and the places it came through, the innermost first; never its
    words.
    """
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{os.path.basename(code.co_filename)}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' < '.join(reversed(places))}"
