"""What a test can change: the settings of the front, those of a service, and both as one.

They are kept in a file, so they survive a restart; faults are not (faults.py).
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

TLS_FAULTS = (
    "expired",
    "not_yet_valid",
    "wrong_host",
    "self_signed",
    "unknown_ca",
    "old_version",
    "stall_handshake",
)


@dataclass
class _Changeable:
    """Each field has a default of a simple type, and a name that the control interface uses."""

    # The values that a setting may have, where its type does not say it.
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {}

    def test(self, changes: dict[str, Any]) -> None:
        """Raises ValueError for an unknown name or an unfit value."""
        known = asdict(self)
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}")
            wanted = type(known[name])
            number = wanted in (int, float) and type(value) in (int, float)
            if not number and type(value) is not wanted:
                raise ValueError(f"setting {name!r} takes a {wanted.__name__}")
            if name in self.CHOICES and value not in self.CHOICES[name]:
                raise ValueError(f"setting {name!r} takes one of {', '.join(self.CHOICES[name])}")

    def update(self, changes: dict[str, Any]) -> None:
        """Change some settings. Raises ValueError, with nothing changed."""
        self.test(changes)
        for name, value in changes.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def reset(self) -> None:
        self.update(type(self)().as_dict())


@dataclass
class Settings(_Changeable):
    """Base of a service's settings. Times are in seconds."""

    # Added to the service's clock, where it decides what has expired and writes iat and exp.
    clock_offset: float = 0

    def now(self) -> float:
        return time.time() + self.clock_offset


@dataclass
class SelfHosted(Settings):
    """Of a service that people run at home, where many of them have no certificate."""

    # Served in the clear too, at the same port; `parameters` then has the http address.
    plain_http: bool = False


@dataclass
class FrontSettings(_Changeable):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"tls": ("", *TLS_FAULTS)}

    # False: the port is closed, connections are refused by the system.
    listening: bool = True
    # A certificate fault for every connection; see the table in __init__.py.
    tls: str = ""


class AllSettings:
    """The front's and the service's, in one dictionary and one file."""

    def __init__(self, file: Path, front: FrontSettings, service: Settings) -> None:
        self._file = file
        self._front = front
        self._service = service
        if file.exists():
            self._change(json.loads(file.read_text(encoding="utf-8")))

    def as_dict(self) -> dict[str, Any]:
        return {**self._service.as_dict(), **self._front.as_dict()}

    def update(self, changes: dict[str, Any]) -> None:
        """Raises ValueError, with nothing changed."""
        self._change(changes)
        self._save()

    def reset(self) -> None:
        self._front.reset()
        self._service.reset()
        self._save()

    def _change(self, changes: dict[str, Any]) -> None:
        ours = {name: changes[name] for name in self._front.as_dict() if name in changes}
        self._front.test(ours)
        self._service.update({n: value for n, value in changes.items() if n not in ours})
        self._front.update(ours)

    def _save(self) -> None:
        write_json(self._file, self.as_dict())


def write_json(file: Path, value: Any) -> None:
    """All of it or nothing, whenever the process is killed."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    os.replace(new, file)
