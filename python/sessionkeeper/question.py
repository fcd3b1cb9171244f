"""What a service asks after the name and the password: a code from an app or a message, a PIN.

The login waits in the core meanwhile. Owned here is the conversation: a question is handed to the
caller's function, its answer goes back, and a login whose question nobody answers is given up, so
that what the service has begun by then is ended. An answer is kept nowhere.
"""

from __future__ import annotations

from .records import Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import Answering, Run, Stop


def settle(run: Run, turn: dict[str, Any], answer: Answering, stop: Stop | None) -> dict[str, Any]:
    """Puts the questions of a login to `answer`, and gives what the login comes to."""
    while "question" in turn:
        handle = turn["handle"]
        try:
            given = None
            if stop is None or not stop():
                given = _as_bytes(answer(Question.from_dict(turn["question"])))
            turn = run("login_answer", {"handle": handle, "answer": given}, stop)
        except BaseException:
            _give_up(run, handle)
            raise
    return turn


def _give_up(run: Run, handle: int) -> None:
    """What went wrong is about to be raised, or Kodi ends: the core does the rest by itself."""
    from .errors import Error

    try:  # noqa: SIM105 - importing contextlib costs more
        run("login_answer", {"handle": handle, "answer": None}, lambda: True)
    except Error:  # that it was given up, or is over already
        pass


def _as_bytes(given: str | bytes | None) -> bytes | None:
    """SECRET."""
    if given is None or isinstance(given, bytes):
        return given
    # The error of `encode` holds the whole text; it ends here, before ours is made.
    if isinstance(given, str):
        try:
            return given.encode()
        except UnicodeError:
            pass
    from .errors import InvalidInput

    raise InvalidInput(
        "What answer() gave is not text, or holds a character that cannot be used.",
        "Return what the user typed, or None to give the login up.",
    )
