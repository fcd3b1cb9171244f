"""The sessions that a server which nobody here wrote ever had: it forgets those that ended.

The service says which there are, whenever it is asked and before each request is answered, so none
can come and go unseen. Kept in a file, as the rest of a service's state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .settings import write_json


@dataclass
class Found:
    """A session that the server has now."""

    # The server's own name of it.
    name: str
    email: str
    # Each opens it or renews it.
    credentials: set[str]
    # False: the server still has it, but it can no longer be used.
    alive: bool = True


@dataclass
class _Session:
    id: str
    name: str
    email: str
    alive: bool = True
    # False: the server has it no more, and a new one may have its name.
    there: bool = True
    # Hashes: this file is no vault.
    credentials: list[str] = field(default_factory=list)


class Ledger:
    def __init__(self, file: Path) -> None:
        self._file = file
        self._sessions: list[_Session] = []
        if file.exists():
            known = json.loads(file.read_text(encoding="utf-8"))
            self._sessions = [_Session(**one) for one in known]

    def follow(self, found: Iterable[Found]) -> None:
        """These are all that the server has now."""
        before = [asdict(one) for one in self._sessions]
        there = {one.name: one for one in self._sessions if one.there}
        for session in there.values():
            session.there = session.alive = False
        for one in found:
            session = there.get(one.name) or self._begin(one)
            session.there, session.alive = True, one.alive
            new = {_hash(credential) for credential in one.credentials}
            session.credentials += sorted(new.difference(session.credentials))
        after = [asdict(one) for one in self._sessions]
        if after != before:
            write_json(self._file, after)

    def id_of(self, *credentials: str | None) -> str | None:
        """The session that any of these ever belonged to."""
        hashes = {_hash(one) for one in credentials if one}
        known = reversed(self._sessions)
        return next((one.id for one in known if hashes.intersection(one.credentials)), None)

    def name_of(self, id: str) -> str:
        """Raises KeyError when there is no such session, or no more."""
        known = {one.id: one.name for one in self._sessions if one.there}
        return known[id]

    def sessions(self) -> list[dict[str, Any]]:
        return [{"id": one.id, "email": one.email, "alive": one.alive} for one in self._sessions]

    def forget(self) -> None:
        self._sessions.clear()
        write_json(self._file, [])

    def _begin(self, found: Found) -> _Session:
        count = sum(one.name == found.name for one in self._sessions)
        session = _Session(_hash(f"{found.name} {count}"), found.name, found.email)
        self._sessions.append(session)
        return session


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
