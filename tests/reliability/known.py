"""Breaches that are known and stand: each with its reason, which the report prints. Anything else
fails the lab.
"""

from __future__ import annotations

from tests.reliability.bench import Case
from tests.reliability.judge import Breach

# Operation, invariant, the beginning of what the judge says: the reason.
KNOWN: dict[tuple[str, str, str], str] = {}


def reason_for(case: Case, breach: Breach) -> str:
    """Why this breach stands, or ""."""
    for (operation, invariant, what), reason in KNOWN.items():
        is_it = operation == case.operation and invariant == breach.invariant
        if is_it and breach.what.startswith(what):
            return reason
    return ""
