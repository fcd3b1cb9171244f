"""Which cases there are, and which of them a shorter run takes."""

from __future__ import annotations

from collections.abc import Iterable

from tests.reliability.bench import Bench, Case
from tests.reliability.faults import BIT, Fault
from tests.reliability.operations import OPERATIONS

FULL = ("EIO", "ENOSPC", "EROFS", "EDQUOT")

# What fails together, and the errors that it can fail with.
KINDS: list[tuple[tuple[str, ...], tuple[str, ...]]] = [
    (("write",), (*FULL, "short", "torn EIO")),
    (("fsync",), FULL),
    (("rename",), FULL),
    (("ftruncate",), FULL),
    (("unlink",), FULL),
    (("open",), ("EIO", "EMFILE")),
    (("writing",), ("EROFS",)),
    (("create",), ("ENOSPC", "EDQUOT")),
]
# A disk that goes bad, fills up, or is mounted read-only in the middle: everything fails from some
# call on.
DISKS: list[tuple[tuple[str, ...], str]] = [
    (("write", "fsync", "rename", "ftruncate", "unlink", "writing"), "EIO"),
    (("write", "rename", "create"), "ENOSPC"),
    (("write", "rename", "ftruncate", "unlink", "writing"), "EROFS"),
]

# "Every so often" is each third call. Later first calls would be the same again, but for the end.
OFTEN = 3


def all_cases(bench: Bench, operations: Iterable[str] = OPERATIONS) -> list[Case]:
    """Every call of every kind, with each error: failing once, from then on, every so often."""
    cases = []
    for name in operations:
        for is_well in (True, False):
            calls = bench.calls(name, is_well=is_well)
            cases += [Case(name, is_well, fault) for fault in _faults(calls)]
    return cases


def _faults(calls: list[int]) -> list[Fault]:
    found = []
    for classes, errors in KINDS:
        count = _count(calls, classes)
        for error in errors:
            found += [Fault(classes, error, first, 0) for first in range(1, count + 1)]
            found += [Fault(classes, error, first, 1) for first in range(1, count + 1)]
            found += [Fault(classes, error, n, OFTEN) for n in range(1, min(OFTEN, count) + 1)]
    for classes, error in DISKS:
        count = _count(calls, classes)
        found += [Fault(classes, error, first, 1) for first in range(1, count + 1)]
    # Killed before each call.
    classes = ("write", "fsync", "rename", "ftruncate", "unlink", "open", "create")
    count = _count(calls, classes)
    found += [Fault(classes, "kill", first, 0) for first in range(1, count + 1)]
    # The database cannot be written any more, and its journal can.
    classes = ("write", "fsync", "ftruncate")
    count = _count([call for call in calls if call & BIT["vault"]], classes)
    for error in ("EIO", "ENOSPC", "EROFS"):
        found += [Fault(classes, error, n, 1, in_vault=True) for n in range(1, count + 1)]
    return found


def _count(calls: list[int], classes: tuple[str, ...]) -> int:
    mask = sum(BIT[name] for name in classes)
    return sum(bool(call & mask) for call in calls)


def some(cases: list[Case], size: int) -> list[Case]:
    """`size` of them, always the same: first one for each operation, server, kind and error, then
    at even distances over the rest."""
    groups: dict[tuple[object, ...], list[Case]] = {}
    for case in cases:
        fault = case.fault
        key = (case.operation, case.is_well, fault.classes, fault.error, fault.in_vault)
        groups.setdefault(key, []).append(case)
    # Not the same place in each group: the first call of all is rarely the one that matters.
    chosen = [group[(37 * n) % len(group)] for n, group in enumerate(groups.values())]
    taken = set(chosen)
    rest = [case for case in cases if case not in taken]
    more = min(max(size - len(chosen), 0), len(rest))
    chosen += [rest[n * len(rest) // more] for n in range(more)]
    return chosen
