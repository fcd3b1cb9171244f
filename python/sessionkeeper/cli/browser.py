"""Logging in with a browser on the command line: the address is printed and opened, and what the
browser ends at is waited for, or pasted.

The conversation is on standard error, so that standard output has the result alone.
"""

from __future__ import annotations

import os
import sys

from sessionkeeper.errors import InvalidInput

from . import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper.keeper import Keeper
    from sessionkeeper.session import Session


def sign_in(keeper: Keeper, interrupted: Callable[[], bool], *, paste: bool) -> Session:
    """By a browser on this machine, or with `paste` by one anywhere."""
    if paste:
        return _by_address(keeper, interrupted)
    login = keeper.start_browser_login(stop=interrupted)
    opened = _open(login.url)
    _say("Log in in the browser" + (", which opens now, or open this there:" if opened else ":"))
    _say(f"\n{display.printable(login.url)}\n")
    _say(f"It is waited for, for {display.clock(login.remaining())} min. Ctrl-C cancels.")
    return login.wait(stop=interrupted)


def _by_address(keeper: Keeper, interrupted: Callable[[], bool]) -> Session:
    """At a terminal a wrong address can be put right."""
    login = keeper.start_browser_login("paste", stop=interrupted)
    _say(f"Open this in a browser, and log in there:\n\n{display.printable(login.url)}\n")
    _say("It ends at an address that begins with")
    _say(f"\n{display.printable(login.redirect_uri)}\n")
    _say("whether its page is there or not. Paste the whole of it here:")
    while True:
        address = _line(interrupted)
        if not address:
            raise InvalidInput("No address was given.", "Paste the one at which the browser ends.")
        try:
            return login.finish(address, stop=interrupted)
        except InvalidInput as error:
            if not sys.stdin.isatty() or not login.remaining():
                raise
            _say(f"{display.printable(error.message)} {display.printable(error.hint)}")


def _line(interrupted: Callable[[], bool]) -> bytes:
    """The next line, without its end; empty where there is none."""
    # A keyboard that can be waited for and still leaves Ctrl-C its second is not everywhere.
    if sys.platform != "win32" and sys.stdin.isatty():
        from selectors import EVENT_READ, DefaultSelector

        # Not select(): it knows no file beyond number 1023.
        with DefaultSelector() as selector:
            selector.register(sys.stdin, EVENT_READ)
            while not selector.select(0.1):
                if interrupted():
                    return b""
    return sys.stdin.buffer.readline().strip()


def _open(url: str) -> bool:
    """False where there is none that opens a window: one for text would take the terminal."""
    has_windows = sys.platform in {"win32", "darwin"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if not has_windows:
        return False
    import webbrowser

    try:
        return webbrowser.open(url)
    except webbrowser.Error:
        return False


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
