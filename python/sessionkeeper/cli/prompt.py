"""What the command line asks of the person in front of it: a password, what the service asks
besides, or to enter a code on another device.

The conversation is on standard error, so that standard output has the result alone. A password is
never taken from the arguments, which others can see. The QR code is drawn here; nobody else is
asked to.
"""

from __future__ import annotations

import os
import sys

from sessionkeeper.errors import AnswerNeeded, AnswerRefused, CodeExpired

from . import display, terminal_qr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper.device import DeviceLogin
    from sessionkeeper.keeper import Keeper
    from sessionkeeper.records import Question
    from sessionkeeper.session import Session


def password() -> str | bytes:
    """From SESSIONKEEPER_PASSWORD, from the prompt of a terminal, or the first line of standard
    input, without the end of the line."""
    given = os.environ.get("SESSIONKEEPER_PASSWORD")
    if given is not None:
        return os.fsencode(given)
    if sys.stdin is None:
        return b""
    return _hidden("Password: ") if sys.stdin.isatty() else _line()


class Answering:
    """The answer to what the service asks: from SESSIONKEEPER_ANSWER, from the prompt of a
    terminal, or the next line of standard input. None after Ctrl-C, or where nothing is typed."""

    def __init__(self, interrupted: Callable[[], bool]) -> None:
        self._interrupted = interrupted

    def __call__(self, question: Question) -> str | bytes | None:
        given = os.environ.get("SESSIONKEEPER_ANSWER")
        if given is not None:
            if question.again:
                raise AnswerRefused("The service did not accept what SESSIONKEEPER_ANSWER holds.")
            return os.fsencode(given)
        is_terminal = sys.stdin is not None and sys.stdin.isatty()
        if is_terminal:
            if question.again:
                left = question.tries_left
                _say(f"That was not accepted. {left} more {'try' if left == 1 else 'tries'}.")
            words = f"{_capitalised(display.printable(question.about))}: "
            typed = _hidden(words) if question.kind == "pin" else self._shown(words)
            return typed.strip() or None
        typed = b"" if sys.stdin is None else _line()
        if typed or question.again:
            return typed or None
        raise AnswerNeeded(
            f"The service asks for more: {question.about}.",
            "Give it as SESSIONKEEPER_ANSWER, or as the second line of standard input.",
        )

    def _shown(self, words: str) -> str | bytes:
        """Typed at the terminal; empty after Ctrl-C."""
        sys.stderr.write(words)
        sys.stderr.flush()
        return sys.stdin.readline() if _can_be_read(self._interrupted) else ""


def _hidden(words: str) -> str | bytes:
    from getpass import getpass

    try:
        return getpass(words)
    except EOFError:
        return b""


def _line() -> bytes:
    line = sys.stdin.buffer.readline()
    if line.endswith(b"\n"):
        line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
    return line


def agrees_to_no_encryption(address: str) -> bool:
    """Asked at a terminal; elsewhere --allow-unencrypted says it."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    _say(f"{address} is not encrypted: everybody in this network can read what is sent there,")
    _say("the password included. Log in all the same? [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _capitalised(words: str) -> str:
    return words[:1].upper() + words[1:]


def sign_in_elsewhere(keeper: Keeper, interrupted: Callable[[], bool]) -> Session:
    """Shows a code and waits until it has been entered on another device. At a terminal another
    code can be had when one has expired."""
    while True:
        login = keeper.start_device_login()
        _say(display.code(login))
        _draw(login)
        try:
            return _wait(login, interrupted)
        except CodeExpired:
            if not _another_is_wanted(interrupted):
                raise


def _wait(login: DeviceLogin, interrupted: Callable[[], bool]) -> Session:
    countdown = _Countdown(login)
    try:
        return login.wait(stop=lambda: countdown.show() or interrupted())
    finally:
        countdown.clear()


class _Countdown:
    """The time that the code is still good for: at a terminal in one line that changes, elsewhere
    said once."""

    def __init__(self, login: DeviceLogin) -> None:
        self._login = login
        self._changes = sys.stderr.isatty()
        self._shown = ""
        if not self._changes:
            _say(self._text())

    def show(self) -> bool:
        """Asked every 100 ms; never stops anything."""
        if self._changes:
            self._write(self._text())
        return False

    def clear(self) -> None:
        if self._shown:
            self._write("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _text(self) -> str:
        return f"The code is good for {display.clock(self._login.remaining())} min. Ctrl-C cancels."

    def _write(self, text: str) -> None:
        if text != self._shown:
            sys.stderr.write("\r" + text.ljust(len(self._shown)))
            sys.stderr.flush()
            self._shown = text


def _draw(login: DeviceLogin) -> None:
    rows = login.qr()
    if not rows:
        return
    encoding = sys.stderr.encoding or "ascii"
    is_terminal = sys.stderr.isatty()
    width = terminal_qr.width(rows, encoding)
    if is_terminal and width > _columns():
        _say(f"(The QR code needs {width} columns: make the window wider.)")
        return
    lines = terminal_qr.draw(rows, encoding, colours=is_terminal and _knows_colours())
    _say("\n".join(["or scan this:", "", *lines, ""]))


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _knows_colours() -> bool:
    return os.environ.get("TERM", "dumb") != "dumb" or "WT_SESSION" in os.environ


def _another_is_wanted(interrupted: Callable[[], bool]) -> bool:
    # A keyboard that can be waited for and still leaves Ctrl-C its second is not everywhere.
    if sys.platform == "win32" or sys.stdin is None or not sys.stdin.isatty():
        return False
    _say("The code has expired. Press Enter for a new one, Ctrl-C to end.")
    return _can_be_read(interrupted) and sys.stdin.readline() != ""


def _can_be_read(interrupted: Callable[[], bool]) -> bool:
    """Waits until something was typed at the terminal. False after Ctrl-C."""
    if sys.platform == "win32":
        return True
    from selectors import EVENT_READ, DefaultSelector

    # Not select(): it knows no file beyond number 1023.
    with DefaultSelector() as selector:
        selector.register(sys.stdin, EVENT_READ)
        while not interrupted():
            if selector.select(0.1):
                return True
    return False


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
