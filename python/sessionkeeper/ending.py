"""The end of the process: a bounded moment for what is on its way.

A renewal whose answer nobody takes may cost the login, where refresh tokens serve once; and a
program that is quicker than the server would never hear that it has delivered.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from ._types import Stop

SLICE_MS = 100


def finish(native: ModuleType, stop: Stop | None = None) -> None:
    """Waits at most 5 s for a renewal that is on its way, 2 s for logouts that are due; not at all
    where there is nothing. `stop` and Ctrl-C end it. Raises nothing: nobody is there to catch it.
    """
    try:
        while native.finish(SLICE_MS):
            if stop is not None and stop():
                break
    except BaseException:  # noqa: BLE001, S110 - as above
        pass
