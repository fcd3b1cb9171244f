"""Ctrl-C on the command line: the first one cancels what runs, the second one ends the program.

Cancelling gives the core the time to say how it ended: a logout that is cancelled is done here, and
the server is told later. Kodi has its own way to stop and never comes here.
"""

from __future__ import annotations

import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class CancelOnSigint:
    """While it is entered, the first Ctrl-C makes calling it True, and nothing else."""

    def __init__(self) -> None:
        self._pressed = False
        self._handler_before: Any = None

    def __call__(self) -> bool:
        return self._pressed

    def __enter__(self) -> CancelOnSigint:
        # Python delivers signals to the main thread only.
        if threading.current_thread() is threading.main_thread():
            self._handler_before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_: object) -> None:
        self._step_back()

    def _press(self, *_: object) -> None:
        self._pressed = True
        self._step_back()

    def _step_back(self) -> None:
        if self._handler_before is not None:
            signal.signal(signal.SIGINT, self._handler_before)
            self._handler_before = None
