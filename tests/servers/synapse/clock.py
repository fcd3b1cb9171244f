"""A module of Synapse's (`modules` in its configuration): it sees the stand-in's clock.

Runs inside of Synapse. The file has the seconds to be added, and is read again when it changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class Clock:
    def __init__(self, config: dict[str, str], api: Any) -> None:
        self._file = Path(config["file"])
        self._read = (0, 0.0)
        # What the API for modules offers of the clock is to read it.
        clock = api._hs.get_clock()
        true_time = clock.time
        clock.time = lambda: true_time() + self._offset()

    def _offset(self) -> float:
        changed = self._file.stat().st_mtime_ns
        if changed != self._read[0]:
            self._read = changed, float(self._file.read_text(encoding="ascii"))
        return self._read[1]
