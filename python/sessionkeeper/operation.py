"""Long work on a thread of the compiled module: started, polled, cancelled.

Kodi's thread is never held: the wait is cut into slices of at most 100 ms, and between two slices
Python runs, so that Kodi's own exception arrives and `stop` is asked. After `stop` the operation is
cancelled, and its last word is waited for, for one second at most.
"""

from __future__ import annotations

import time

from .errors import Cancelled, error_from

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable

    from .shapes import Finished, Started

    Stop = Callable[[], bool]

SLICE_MS = 100
# How long a cancelled operation may take to say how it ended, in seconds. A logout needs it: its
# result is a report, not an error.
LAST_WORD = 1.0


def run(
    native: ModuleType,
    keeper: int,
    verb: str,
    arguments: dict[str, Any],
    stop: Stop | None = None,
) -> Any:
    """Runs one operation to its end and gives its value, or raises its error.

    `stop` is asked after each slice that brought no result, so work that is done at once is never
    cancelled. Raises `Cancelled` when it says True and the operation has no result of its own.
    """
    started: Started = native.start(keeper, verb, arguments)
    if "error" in started:
        raise error_from(started["error"])
    operation = started["operation"]
    try:
        finished = _wait(native, operation, stop)
    except BaseException:
        # Kodi's SystemExit, Ctrl-C, or a `stop` that raised: nobody waits for the result any more.
        native.cancel(operation)
        raise
    if finished is None:
        raise Cancelled(f"The {verb} was cancelled; it did not end in time.")
    if "error" in finished:
        raise error_from(finished["error"])
    return finished["value"]


def _wait(native: ModuleType, operation: int, stop: Stop | None) -> Finished | None:
    give_up_at = None
    while True:
        finished: Finished | None = native.poll(operation, SLICE_MS)
        if finished is not None:
            return finished
        if give_up_at is None:
            if stop is not None and stop():
                native.cancel(operation)
                give_up_at = time.monotonic() + LAST_WORD
        elif time.monotonic() >= give_up_at:
            return None
