"""Breaches that are known and stand: each with its reason, which the report prints. Anything else
fails the lab.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.reliability.bench import Case
from tests.reliability.judge import Breach


@dataclass(frozen=True)
class Known:
    operation: str
    invariant: str
    # The fault's, or "" for any.
    error: str
    reason: str
    # More cases than these are not this breach any more; None: any number.
    at_most: int | None = None

    def covers(self, case: Case, breach: Breach) -> bool:
        is_it = (self.operation, self.invariant) == (case.operation, breach.invariant)
        return is_it and self.error in ("", case.fault.error)


KNOWN = [
    *(
        Known(
            operation,
            "lost",
            "kill",
            "the process ended between the server's answer and the first byte of the note about "
            "it: nothing on this device knows of the session",
            at_most=1,
        )
        for operation in ("first login", "login", "re-login")
    ),
    Known(
        "renew, rotating",
        "dead",
        "kill",
        "a token that serves once was noted as spent, and the process ended before it could know "
        "whether it was; sent twice, it would end the session for everybody (RFC 9700 section "
        "4.14.2), so the viewer is asked to log in",
    ),
]


def too_many(found: list[tuple[Case, Breach]]) -> list[Known]:
    """Those that more cases claim than there can be."""
    return [
        known
        for known in KNOWN
        if known.at_most is not None
        and sum(known.covers(case, breach) for case, breach in found) > known.at_most
    ]


def reason_for(case: Case, breach: Breach) -> str:
    """Why this breach stands, or ""."""
    return next((known.reason for known in KNOWN if known.covers(case, breach)), "")
