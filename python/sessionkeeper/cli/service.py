"""`sessionkeeper service`: stays in the foreground and does what is due, until it is told to end.

Waits without looking at anything: for the time that the keeper names, or for a signal. What it did
is said on standard error, with --verbose.
"""

from __future__ import annotations

import select
import signal
import socket
import sys
import time

from sessionkeeper.ending import finish
from sessionkeeper.errors import Cancelled, Error
from sessionkeeper.loading import native

from . import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sessionkeeper.keeper import Keeper
    from sessionkeeper.reports import UpkeepReport

# Whatever is planned, it is looked again after so many seconds: other programs use the vault too.
LOOK_AGAIN_S = 30.0
# After a failure that gave no new plan.
PAUSE_S = 60.0
ENDING = ("SIGTERM", "SIGINT")
TOLD = ("revoked", "already_ended", "expired")


def run(keeper: Keeper, *, verbose: bool) -> dict[str, int]:
    """Does what is due until SIGTERM or Ctrl-C, and gives how often it renewed and delivered.

    Raises `StorageError` where another service looks after the data directory.
    """
    done = dict.fromkeys(("renewed", *TOLD), 0)

    def say(text: str) -> None:
        if verbose and text:
            _print(text)

    with EndSignals() as signals:
        keeper.serve()
        say("Looking after the accounts and the waiting logouts. Ctrl-C ends it.")
        while not signals.came:
            try:
                report = keeper.upkeep(stop=lambda: signals.came)
            except Cancelled:
                break
            except Error as error:
                _print(f"sessionkeeper: {display.printable(error.message)}")
                signals.wait(PAUSE_S)
                continue
            done["renewed"] += sum(one.outcome == "ok" for one in report.renewals)
            for name in TOLD:
                done[name] += getattr(report.drained, name)
            say(display.upkeep(report))
            signals.wait(_pause(report))
        # A second one ends this too.
        signals.came = False
        finish(native(), lambda: signals.came)
        say("Ended.")
    return done


def _print(text: str) -> None:
    """On standard error; whoever read it may have gone, and the service goes on."""
    try:  # noqa: SIM105 - importing contextlib costs more
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass


def _pause(report: UpkeepReport) -> float:
    if report.next_at is None:
        return LOOK_AGAIN_S
    return min(LOOK_AGAIN_S, max(1.0, report.next_at - time.time()))


class EndSignals:
    """While it is entered, a signal that asks the program to end is noted, and wakes `wait`."""

    def __init__(self) -> None:
        self.came = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> EndSignals:
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for name in ENDING:
            number = getattr(signal, name)
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()

    def wait(self, seconds: float) -> None:
        """Until then, or until a signal comes."""
        select.select([self._reader], [], [], seconds)

    def _note(self, *_: object) -> None:
        self.came = True
