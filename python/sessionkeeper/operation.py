"""One verb of the compiled module: started, polled, cancelled.

Kodi's thread is never held: the wait is cut into slices of at most 100 ms, and between two slices
Python runs, so that Kodi's own exception arrives and `stop` is asked. After `stop` the operation is
cancelled, and its last word is waited for, for one second at most.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from ._types import Answer, Progress, Stop

SLICE_MS = 100
# How long a cancelled operation may take to say how it ended, in seconds. A logout needs it: its
# result is a report, not an error.
LAST_WORD = 1.0


def run(  # noqa: PLR0913, PLR0917 - whom, what and how, as `start` takes it
    native: ModuleType,
    keeper: int,
    verb: str,
    options: dict[str, Any],
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Any:
    """Runs one verb to its end and gives its value, or raises its error.

    `stop` is asked after each slice that brought no result, so work that is done at once is never
    cancelled. Raises `Cancelled` when it says True and the operation has no result of its own.
    `progress` is told how much is done and of how much, whenever that has changed, where the verb
    counts.
    """
    answer: Answer = native.start(keeper, {verb: options})
    if "operation" in answer:
        operation = answer["operation"]
        try:
            answer = _wait(native, answer, stop, progress)
        except BaseException:
            # Kodi's SystemExit, Ctrl-C, or a `stop` that raised: nobody waits for the result any
            # more.
            native.cancel(operation)
            raise
    return value_of(answer)


def value_of(answer: Answer) -> Any:
    """The value of an answer. Raises its error."""
    if "value" in answer:
        return answer["value"]
    from .errors import Cancelled, error_from

    if "error" in answer:
        raise error_from(answer["error"])
    raise Cancelled("The operation was cancelled; it did not end in time.")


def _wait(
    native: ModuleType, answer: Answer, stop: Stop | None, progress: Progress | None
) -> Answer:
    """The answer with the result, or the last one without."""
    import time

    operation, give_up_at, told = answer["operation"], None, None
    while "operation" in answer:
        if progress is not None and answer.get("progress", told) != told:
            told = answer["progress"]
            progress(*told)
        if give_up_at is None:
            if stop is not None and stop():
                native.cancel(operation)
                give_up_at = time.monotonic() + LAST_WORD
        elif time.monotonic() >= give_up_at:
            break
        answer = native.poll(operation, SLICE_MS)
    return answer
