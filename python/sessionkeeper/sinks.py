"""A Python function that gets the audit trail.

The trail in the vault stays the one that counts: it knows how far each sink has got, so a sink that
fails gets the same lines again later, and one that crashed with its process may see some twice. It
works on a thread of its own, because nobody knows how long it takes, and a logout does not wait.

A sink has failed when it raised, or when it has been at the same lines for a minute. One that is
slow or busy has not: it gets the rest later, and nobody is alarmed.
"""

from __future__ import annotations

from time import monotonic

from .errors import Cancelled, safe_text
from .reports import AuditEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Thread
    from typing import Any

    from ._types import Run, Sink, Stop

# How long the caller waits for the sink, in seconds. After that the sink goes on by itself.
LONGEST_WAIT = 1.0
# How long a sink may be at the same lines, in seconds.
STUCK = 60.0
# How many lines the sink is given at once.
BATCH = 100


class AuditSink:
    """Hands the lines of the audit trail to a function, each when it has taken those before."""

    def __init__(self, call: Sink, run: Run) -> None:
        self.name = _name(call)
        self._call = call
        self._run = run
        self._thread: Thread | None = None
        # When the lines were handed over that the sink is at.
        self._since = 0.0

    def deliver(self, stop: Stop | None) -> str:
        """Hands over what is new. What went wrong, with the sink's name; "" when nothing did, as
        far as that is known by now: a slow sink's failure is in the audit trail later."""
        try:
            failure = self._deliver(stop)
        except Cancelled:
            # Nobody has time now; the sink gets its lines the next time.
            failure = ""
        except Exception as error:  # noqa: BLE001 - whatever it is, it is harmless to the caller
            failure = safe_text(error)
        return f"{self.name}: {failure}" if failure else ""

    def _deliver(self, stop: Stop | None) -> str:
        if self._thread is not None and self._thread.is_alive():
            if monotonic() - self._since < STUCK:
                return ""
            failure = "has been at the same lines for more than a minute"
            self._refuse(failure)
            return failure
        first = self._new_lines(stop)
        if not first:
            return ""
        from threading import Thread

        failures: list[str] = []
        thread = Thread(
            target=self._hand_over, args=(first, failures), name="sessionkeeper-audit", daemon=True
        )
        self._since = monotonic()
        thread.start()
        self._thread = thread
        thread.join(LONGEST_WAIT)
        return "".join(failures)

    def _hand_over(self, lines: list[dict[str, Any]], failures: list[str]) -> None:
        try:
            while lines:
                self._since = monotonic()
                self._call([AuditEvent.from_dict(line) for line in lines])
                taken = {"sink": self.name, "seq": lines[-1]["seq"]}
                self._run("audit_taken", taken, _go_on)
                lines = self._new_lines(_go_on) if len(lines) == BATCH else []
        except Exception as error:  # noqa: BLE001 - as above
            failure = safe_text(error)
            self._refuse(failure)
            failures.append(failure)

    def _refuse(self, failure: str) -> None:
        refused = {"sink": self.name, "reason": f"{self.name}: {failure}"}
        try:  # noqa: SIM105 - importing contextlib costs more
            self._run("audit_refused", refused, _go_on)
        except Exception:  # noqa: BLE001, S110 - it is in the report, where somebody waits for it
            pass

    def _new_lines(self, stop: Stop | None) -> list[dict[str, Any]]:
        asked = {"sink": self.name, "limit": BATCH}
        lines: list[dict[str, Any]] = self._run("audit_since", asked, stop)["events"]
        return lines


def _name(call: Sink) -> str:
    """The same in every process, because the vault keeps the place under it."""
    kind = call if hasattr(call, "__qualname__") else type(call)
    return f"{getattr(kind, '__module__', '')}.{kind.__qualname__}".lstrip(".")


def _go_on() -> bool:
    """The caller's own `stop` may only be asked on its own thread."""
    return False
