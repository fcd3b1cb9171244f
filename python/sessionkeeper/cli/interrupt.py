"""Ctrl-C on the command line: the first one cancels what runs, the second one ends the programme.

Cancelling gives the core the time to say how it ended: a logout that is cancelled is done here, and
the server is told later. Kodi has its own way to stop and never comes here.
"""

from __future__ import annotations

import signal
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any


class Interrupt:
    """While it is entered, the first Ctrl-C makes calling it True, and nothing else."""

    def __init__(self) -> None:
        self._pressed = False
        self._waiting = False
        self._before: Any = None

    def __call__(self) -> bool:
        return self._pressed

    def __enter__(self) -> Interrupt:
        # Python delivers signals to the main thread only.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._press)
            self._waiting = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._step_back()

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        self._pressed = True
        self._step_back()

    def _step_back(self) -> None:
        if self._waiting:
            self._waiting = False
            signal.signal(signal.SIGINT, self._before)
