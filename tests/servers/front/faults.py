"""The rules a test sets: which fault answers which request, and how often.

This file only chooses. What a fault does to an answer is in distortions.py, what it does to the
connection in transport.py; the table of all of them is in __init__.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .distortions import DISTORTIONS
from .settings import TLS_FAULTS
from .transport import TRANSPORT

# These meet a connection before it has said what it wants: the path of the rule does not matter.
CONNECTION = (
    "refuse",
    "reset_before",
    "stall_handshake",
    *(f"tls_{name}" for name in TLS_FAULTS if name != "stall_handshake"),
)


@dataclass
class Rule:
    path: str
    fault: str
    host: str | None = None
    # How often it still acts; None: for ever.
    times: int | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    def use(self) -> Rule:
        if self.times is not None:
            self.times -= 1
        return self

    @property
    def ends(self) -> bool:
        """Whether a logout that this fault answers ends the session all the same."""
        return bool(self.parameters.get("ends", self.fault in ("ended_but_reset", "delay")))


KNOWN = (*DISTORTIONS, *TRANSPORT, *CONNECTION)


class Faults:
    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, wanted: dict[str, Any]) -> Rule:
        """Raises ValueError when the fault is unknown or the rule makes no sense."""
        parameters = dict(wanted)
        rule = Rule(
            path=parameters.pop("path", "*"),
            fault=parameters.pop("fault", ""),
            host=parameters.pop("host", None),
            times=parameters.pop("times", None),
            parameters=parameters,
        )
        name, _, code = rule.fault.partition(":")
        if name == "status" and code.isdigit() and 100 <= int(code) <= 999:
            parameters["code"] = int(code)
        elif rule.fault not in KNOWN or name == "status":
            raise ValueError(f"unknown fault {rule.fault!r}")
        if rule.times is not None and (type(rule.times) is not int or rule.times < 1):
            raise ValueError("times is a positive number, or absent")
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        self.rules.clear()

    def for_connection(self, host: str | None) -> Rule | None:
        """The rule for a new connection; `host` None: not known yet, so only rules for any host."""
        for rule in self._left():
            # Before the ClientHello only a refusal can act; the others need it read.
            ready = host is not None or rule.fault == "refuse"
            if ready and rule.fault in CONNECTION and rule.host in (None, host):
                return rule.use()
        return None

    def for_request(self, host: str, path: str) -> Rule | None:
        for rule in self._left():
            meant = rule.host in (None, host) and fnmatchcase(path, rule.path)
            if meant and rule.fault not in CONNECTION:
                return rule.use()
        return None

    def _left(self) -> list[Rule]:
        return [rule for rule in self.rules if rule.times is None or rule.times > 0]
