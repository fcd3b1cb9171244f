"""A SQLite file, as the service opens it and as the control interface does.

One connection and one transaction for each piece of work. While it fails, the service looks for its
file where none is, so that each of its calls raises sqlite3.OperationalError; the file itself is
untouched, and the control interface still reads it.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path


class Database:
    def __init__(self, file: Path, schema: str, fails: Callable[[], bool]) -> None:
        self._file = file.absolute()
        self._fails = fails
        with contextlib.closing(sqlite3.connect(self._file)) as db:
            db.executescript(schema)

    @contextlib.contextmanager
    def work(self, *, undo: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction of the service; `undo` rolls it back at its end, as an exception does."""
        file = self._file.parent / "nowhere" / self._file.name if self._fails() else self._file
        with _transaction(file) as db:
            yield db
            if undo:
                db.rollback()

    @contextlib.contextmanager
    def control(self) -> Iterator[sqlite3.Connection]:
        """A transaction of the control interface, whatever the settings say."""
        with _transaction(self._file) as db:
            yield db


@contextlib.contextmanager
def _transaction(file: Path) -> Iterator[sqlite3.Connection]:
    # mode=rw: a file that is not there is an error, and is not made.
    db = sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, isolation_level=None)
    with contextlib.closing(db), db:
        db.row_factory = sqlite3.Row
        # A test kills the process, not the machine.
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN IMMEDIATE")
        yield db
