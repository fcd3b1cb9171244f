"""Logging in with a code: the viewer enters it on another device, this one waits.

Owns the order: ask for a code, show it, wait, offer a new one when it has expired. The keeper
polls the service, the window shows; no password passes through this device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sessionkeeper.errors import CodeExpired
from sessionkeeper.kodi.code_window import CodeWindow

if TYPE_CHECKING:
    from sessionkeeper import Keeper


def log_in(keeper: Keeper, service: str) -> bool:
    """Whether the viewer signed in. Cancelling raises Cancelled, as a refusal raises its error."""
    with CodeWindow(service) as window:
        while True:
            window.show_asking()
            login = keeper.start_device_login(stop=window.stopped)
            window.show_code(login)
            try:
                login.wait(stop=window.stopped)
                return True
            except CodeExpired:
                window.show_expired()
            if not window.wait_for_new_code():
                return False
