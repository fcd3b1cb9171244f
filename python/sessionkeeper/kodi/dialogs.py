"""Questions, messages and progress on the screen.

Owns how errors are put to the viewer: what it means in the viewer's language first, then what
exactly happened. It never shows a password, and never stays open when Kodi ends.
"""

from __future__ import annotations

import time

import xbmc
import xbmcgui

from sessionkeeper.errors import Error, LoginDenied
from sessionkeeper.kodi.strings import IDS, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Sequence, TypeVar

    from sessionkeeper import Question

    T = TypeVar("T")

TITLE = "Sessionkeeper"


class Progress:
    """A progress dialog whose Cancel button, or Kodi's end, stops the work. `stopped` is asked
    every 100 ms while the work runs. The bar shows how much of the time has passed, `limit` being
    how many seconds there are; or, once `count` is told, how much of the work is done.
    """

    def __init__(self, title: str, message: str, limit: float) -> None:
        self._title, self._message = title, message
        self._began, self._limit = time.monotonic(), limit
        self._monitor = xbmc.Monitor()
        self._dialog = xbmcgui.DialogProgress()
        self._counts = False

    def __enter__(self) -> Progress:
        self._dialog.create(self._title, self._message)
        return self

    def aside(self, ask: Callable[[], T]) -> T:
        """Asks the viewer something; meanwhile nothing of this is on the screen, and no time of the
        work passes."""
        began = time.monotonic()
        self._dialog.close()
        answer = ask()
        self._began += time.monotonic() - began
        if not self._monitor.abortRequested():
            self._dialog.create(self._title, self._message)
        return answer

    def __exit__(self, *_: object) -> None:
        self._dialog.close()

    def stopped(self) -> bool:
        if not self._counts:
            passed = (time.monotonic() - self._began) / self._limit
            self._dialog.update(min(int(100 * passed), 100))
        return bool(self._dialog.iscanceled() or self._monitor.abortRequested())

    def count(self, done: int, total: int) -> None:
        self._counts = True
        words = text("done_of_total", done=done, total=total)
        self._dialog.update(100 * done // max(total, 1), f"{self._message}[CR]{words}")


def ask_text(heading: str, before: str) -> str | None:
    """None when the viewer cancelled; empty where all was taken out."""
    keyboard = xbmc.Keyboard(before, heading)
    keyboard.doModal()
    return keyboard.getText().strip() if keyboard.isConfirmed() else None


def ask_user_name(service: str, before: str) -> str:
    """Empty when the viewer cancelled."""
    answer: str = xbmcgui.Dialog().input(f"{service}: {text('ask_user_name')}", before)
    return answer.strip()


def ask_password(service: str) -> str:
    """Empty when the viewer cancelled."""
    return ask_secret(f"{service}: {text('ask_password')}")


def ask_secret(heading: str) -> str:
    """Empty when the viewer cancelled. The hidden alphanumeric keyboard: Kodi's password type would
    return a hash.
    """
    answer: str = xbmcgui.Dialog().input(
        heading,
        type=xbmcgui.INPUT_ALPHANUM,
        option=xbmcgui.ALPHANUM_HIDE_INPUT,
    )
    return answer


def ask_answer(service: str, question: Question) -> str:
    """What the service asks besides the name and the password. Empty when the viewer cancelled."""
    name = f"question_{question.kind}"
    words = text(name) if name in IDS else plain(question.about)
    # Two short lines are all that the keyboard for digits has room for.
    again = text("question_again", question=words)
    heading, dialog = again if question.again else f"{service}: {words}", xbmcgui.Dialog()
    if question.kind in {"totp", "sms", "pin"}:
        digits: str = dialog.numeric(0, heading, "", question.kind == "pin")
        return digits
    typed: str = dialog.input(heading)
    return typed.strip()


def confirm(title: str, question: str, yes: str) -> bool:
    """`yes` says what the button does. The other one cancels, and has the focus."""
    return bool(xbmcgui.Dialog().yesno(title, question, nolabel=text("cancel"), yeslabel=yes))


def offer(title: str, words: str, *ways: str) -> int | None:
    """Says something, and which of one or two ways to go on the viewer chose; the first has the
    focus. None for the last button, which cancels.
    """
    default = xbmcgui.DLG_YESNO_YES_BTN
    first, second, cancel = ways[0], "".join(ways[1:]), text("cancel")
    if not second:
        goes_on = xbmcgui.Dialog().yesno(title, words, cancel, first, defaultbutton=default)
        return 0 if goes_on else None
    pressed = xbmcgui.Dialog().yesnocustom(
        title, words, cancel, second, first, defaultbutton=default
    )
    return {1: 0, 0: 1}.get(pressed)


def choose(
    title: str,
    lines: Sequence[tuple[str, str]],
    chosen: int = -1,
    icons: Sequence[str] = (),
) -> int | None:
    """The number of the line that the viewer chose, of pairs of a text and a smaller one below it;
    None when the viewer cancelled. `icons` are the paths of pictures, one for each line.
    """
    items: list[str | xbmcgui.ListItem] = []
    for number, (words, below) in enumerate(lines):
        item = xbmcgui.ListItem(plain(words), plain(below))
        if icons:
            item.setArt({"icon": icons[number]})
        items.append(item)
    answer: int = xbmcgui.Dialog().select(title, items, preselect=chosen, useDetails=True)
    return answer if answer >= 0 else None


def show_message(title: str, words: str) -> None:
    xbmcgui.Dialog().ok(title, words)


def show_text(title: str, words: str, monospaced: bool = False) -> None:
    xbmcgui.Dialog().textviewer(title, plain(words), monospaced)


def show_error(title: str, error: Error) -> None:
    """One dialog: what the error's code means, the message, the hint."""
    code = f"error_{error.code}"
    meaning = text(code if code in IDS else "error_internal_error")
    # A refusal has one reason, and the text of its code has said it.
    said = "" if isinstance(error, LoginDenied) else error.message
    lines = [meaning, *(line for line in (said, error.hint) if line)]
    show_message(title, "[CR]".join(plain(line) for line in lines))


def plain(words: str) -> str:
    """Without Kodi's markup: a server's words must not style or break the dialog."""
    return words.replace("[", "(").replace("]", ")")
