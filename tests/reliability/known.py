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


KNOWN = [
    Known(
        "renew, rotating",
        "dead",
        "kill",
        "a token that serves once was noted as spent, and the process ended before it could know "
        "whether it was; sent twice, it would end the session for everybody (RFC 9700 section "
        "4.14.2), so the viewer is asked to log in",
    ),
]


def reason_for(case: Case, breach: Breach) -> str:
    """Why this breach stands, or ""."""
    for known in KNOWN:
        is_it = (known.operation, known.invariant) == (case.operation, breach.invariant)
        if is_it and known.error in ("", case.fault.error):
            return known.reason
    return ""
