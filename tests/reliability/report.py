"""The lab's results, for people: a table of operations and one of faults, and each breach."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from tests.reliability.bench import Case, Evidence
from tests.reliability.judge import INVARIANTS, Breach, is_incomplete
from tests.reliability.known import reason_for, too_many

BEGIN, END = "<!-- the lab's tables begin -->", "<!-- the lab's tables end -->"

# So many cases of one kind of breach are named.
NAMED = 3


@dataclass(frozen=True)
class Result:
    evidence: Evidence
    breaches: list[Breach]

    @property
    def case(self) -> Case:
        return self.evidence.case

    @property
    def has_struck(self) -> bool:
        is_killed = self.case.fault.error == "kill" and "died" in self.evidence.act
        return is_killed or bool(self.evidence.act.get("failed"))

    def without_files(self) -> Result:
        return replace(self, evidence=replace(self.evidence, files={}))


def has_failed(results: list[Result]) -> bool:
    """Whether an invariant broke that is not written down as known, or no fault struck at all."""
    found = [(result.case, breach) for result in results for breach in result.breaches]
    is_broken = any(map(is_unknown, results)) or bool(too_many(found))
    return is_broken or not any(result.has_struck for result in results)


def is_unknown(result: Result) -> bool:
    return any(not reason_for(result.case, breach) for breach in result.breaches)


def report(results: list[Result], listed: int, seconds: float) -> str:
    broken = [result for result in results if result.breaches]
    struck = sum(result.has_struck for result in results)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    head = (
        f"{now}: {len(results)} of {listed} cases in {seconds:.0f} s; the fault struck in "
        f"{struck}; an invariant broke in {len(broken)}, "
        f"{sum(map(is_unknown, broken))} of them without a known reason."
    )
    parts = [head, "By operation:", _table(results, "operation", _operation)]
    parts += ["By fault:", _table(results, "fault", _fault)]
    return "\n\n".join(parts + _breaches(results)) + "\n"


def _operation(case: Case) -> str:
    return f"{case.operation}, server {'well' if case.is_well else 'away'}"


def _fault(case: Case) -> str:
    fault = case.fault
    which = {0: "once", 1: "from then on"}.get(fault.every, "every so often")
    what = fault.classes[0] if len(fault.classes) == 1 else "the whole disk"
    what = "vault.db alone" if fault.in_vault else what
    if fault.error == "kill":
        return "kill -9 before each call"
    return f"{what}, {which}, {fault.error}"


def _table(results: list[Result], title: str, row_of) -> str:
    broken = [name for name in INVARIANTS if any(name in _names(result) for result in results)]
    columns = [title, "cases", "struck", "incomplete, and said so", *broken]
    rows: dict[str, Counter[str]] = {}
    for result in results:
        for row in (rows.setdefault(row_of(result.case), Counter()),):
            row["cases"] += 1
            row["struck"] += result.has_struck
            row["incomplete, and said so"] += is_incomplete(result.evidence)
            row.update(_names(result))
    total = Counter()
    for row in rows.values():
        total.update(row)
    lines = [f"| {' | '.join(columns)} |", f"|---|{'---:|' * (len(columns) - 1)}"]
    for name, row in [*rows.items(), ("all", total)]:
        lines.append(f"| {name} | {' | '.join(str(row[column]) for column in columns[1:])} |")
    return "\n".join(lines)


def _names(result: Result) -> set[str]:
    return {breach.invariant for breach in result.breaches}


def _breaches(results: list[Result]) -> list[str]:
    """Each invariant that broke, with the first cases of each wording."""
    parts = []
    for invariant, meaning in INVARIANTS.items():
        found: dict[tuple[str, str, str], list[Result]] = {}
        for result in results:
            for breach in result.breaches:
                if breach.invariant == invariant:
                    reason = reason_for(result.case, breach)
                    key = (_operation(result.case), breach.what, reason)
                    found.setdefault(key, []).append(result)
        if found:
            lines = [f"**{invariant}**: {meaning}", ""]
            for (operation, what, reason), these in found.items():
                known = f" (known: {reason})" if reason else ""
                lines.append(f"- {operation}: {len(these)} cases, {what}{known}")
                lines += [
                    f"  - `{one.case}` ({one.evidence.act.get('struck')})" for one in these[:NAMED]
                ]
            parts.append("\n".join(lines))
    return parts


def tell(result: Result) -> str:
    """One case in full, to work with."""
    evidence = result.evidence
    worlds = {
        name: [asdict(session) for session in world.sessions]
        for name, world in vars(evidence).items()
        if name in ("before", "between", "after")
    }
    act = {name: value for name, value in evidence.act.items() if name not in ("calls", "log")}
    lines = [f"== {result.case}", *(f"!! {one.invariant}: {one.what}" for one in result.breaches)]
    for name, thing in (("act", act), ("look", evidence.look), ("server", worlds)):
        lines.append(f"{name}: {json.dumps(thing, indent=1)}")
    return "\n".join([*lines, "log:", evidence.act.get("log", "")])


def write(document: Path, text: str) -> None:
    """Puts the tables between the marks of the document."""
    before, _, rest = document.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", "utf-8")
