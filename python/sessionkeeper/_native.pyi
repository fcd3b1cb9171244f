"""The compiled module: a few plain functions, plain data in and out, handles are integers.

Every interpreter of the process shares one copy of what lies behind it, keyed by data directory.
No function blocks for more than 100 ms, and none raises for what the world does: failures come
back as {"error": …}. The dictionaries are described in `shapes`.
"""

from typing import Any

from .shapes import CheckShape, EventShape, Finished, Opened, ProviderSummary, Started

__all__ = [
    "cancel",
    "check_provider",
    "open",
    "poll",
    "providers",
    "qr",
    "start",
    "take_events",
    "take_log",
    "version",
]

def version() -> str:
    """The version of the crate, for example "0.1.0"."""

def open(config: dict[str, Any]) -> Opened:  # noqa: A001 - the boundary has the verb of the API
    """Checks the configuration and gives a handle. Touches neither disk nor network, except that
    a provider file and a CA file named in it are read."""

def start(keeper: int, verb: str, arguments: dict[str, Any]) -> Started:
    """Starts one operation on a thread of its own."""

def poll(operation: int, wait_ms: int) -> Finished | None:
    """Waits at most `wait_ms`, never more than 100 ms, with the GIL released. None: still running.
    Otherwise the result, and the handle is gone."""

def cancel(operation: int) -> None:
    """Asks the operation to end. Its result still comes through `poll`. An unknown handle is
    fine."""

def take_log(keeper: int) -> list[list[Any]]:
    """The log lines not taken yet: [level, text], level 0 debug, 1 info, 2 warning, 3 error."""

def take_events(keeper: int, after: int) -> list[EventShape]:
    """The events with a greater `seq`; with -1 the newest number alone, to start from now."""

def providers() -> list[ProviderSummary]:
    """The built-in catalogue."""

def check_provider(definition: str | dict[str, Any], parameters: dict[str, str]) -> CheckShape:
    """What is wrong in the text of a provider file or in a dictionary of its form, or what it
    does. Without parameters its examples take their place."""

def qr(text: str) -> list[str]:
    """The QR code of a text: a row of "0" and "1" for each row of modules, without a quiet zone.
    Empty when the text is too long for one."""
