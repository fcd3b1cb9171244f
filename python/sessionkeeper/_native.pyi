"""The compiled module: a few plain functions, plain data in and out, handles are integers.

Every interpreter of the process shares one copy of what lies behind it, keyed by data directory.
No function blocks for more than 100 ms, and none raises: failures come
back as {"error": …}.
"""

from typing import Any

from ._types import Answer, Opened

__all__ = [
    "after_fork",
    "before_fork",
    "cancel",
    "check_provider",
    "close",
    "finish",
    "from_json",
    "open",
    "poll",
    "providers",
    "qr",
    "start",
    "to_json",
    "version",
]

def version() -> str:
    """The version of the crate, for example "0.1.0"."""

def open(options: dict[str, Any]) -> Opened:  # noqa: A001 - the boundary has the verb of the API
    """Checks the options and gives a handle. Touches neither disk nor network, except that a
    provider file and a CA file named in them are read."""

def close(keeper: int) -> None:
    """The handle is no longer needed, as often as it was given. What nobody needs is given back
    after a minute. An unknown handle is fine."""

def start(keeper: int, command: dict[str, Any]) -> Answer:
    """Runs {verb: options}. What takes longer than a moment goes on in its own thread; then the
    answer is the operation to poll."""

def poll(operation: int, wait_ms: int) -> Answer:
    """Waits at most `wait_ms`, never more than 100 ms, with the GIL released. The handle is gone
    with the result."""

def cancel(operation: int) -> None:
    """Asks the operation to end. Its result still comes through `poll`. An unknown handle is
    fine."""

def before_fork() -> None:
    """This thread is about to fork: waits, for a second at most, until the module's own threads
    hold nothing that a child would need, and keeps them waiting."""

def after_fork() -> None:
    """It has forked, and this is the parent or the child."""

def finish(wait_ms: int) -> bool:
    """The process is about to end: waits at most `wait_ms`, never more than 100 ms, for what is on
    its way. True while there is something worth waiting for. From the first call on, logouts that
    are due are delivered once more, and no renewal is begun in the background."""

def providers(sources: list[dict[str, Any]] | None) -> Answer:
    """The built-in services and those of the files in these directories, with the files that are
    not used. None: the user's own directory."""

def check_provider(definition: str | dict[str, Any], parameters: dict[str, str]) -> Answer:
    """What is wrong in the text of a provider file or in a dictionary of its form, or what it
    does. Without parameters its examples take their place."""

def qr(text: str) -> list[str]:
    """The QR code of a text: a row of "0" and "1" for each row of modules, without a quiet zone.
    Empty when the text is too long for one."""

def to_json(value: Any) -> bytes | None:
    """The value as JSON. None for what Python's own `json` has to write, or to refuse."""

def from_json(text: bytes) -> tuple[Any] | None:
    """What the JSON says. None for what Python's own `json` has to read, or to refuse."""
