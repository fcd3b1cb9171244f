"""How the story is told and proved: numbered steps, who sees what, and proofs that can fail.

Owns the printing. Knows no service, no command and no order of events.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone

WIDTH = 100
_MARGIN = 13


class ProofFailedError(Exception):
    """A step did not do what it must."""


class Story:
    def __init__(self) -> None:
        self._steps = 0
        self.proofs = 0
        # What did not hold, once something did not.
        self.failed = ""

    def chapter(self, text: str) -> None:
        print(f"\n{text}\n{'-' * len(text)}", flush=True)

    def step(self, text: str) -> None:
        self._steps += 1
        print(f"\n{self._steps:2}. {text}", flush=True)

    def line(self, who: str, text: str) -> None:
        for part in textwrap.wrap(text, WIDTH - _MARGIN, break_on_hyphens=False) or [""]:
            print(f"    {who:<8} {part}", flush=True)
            who = ""

    def screen(self, who: str, lines: Sequence[str]) -> None:
        """Lines that somebody sees, as they are."""
        for line in lines:
            print(f"    {who:<8} {line}".rstrip(), flush=True)
            who = ""

    def prove(self, what: str, holds: bool, found: object = "") -> None:
        """Counts a proof, or tells what was found in its place and ends the story."""
        if not holds:
            self.failed = what
            self.line("FAILED", f"{what}. Found: {found}")
            raise ProofFailedError(what)
        self.proofs += 1
        self.line("proved", what)


def listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def local_time(moment: float, form: str) -> str:
    return datetime.fromtimestamp(moment, timezone.utc).astimezone().strftime(form)
