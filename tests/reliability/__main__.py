"""Runs the fault lab, prints its table, and fails when an invariant does not hold."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue

from tests.reliability import faults, report
from tests.reliability.bench import Bench, Case
from tests.reliability.cases import all_cases, some
from tests.reliability.judge import judge
from tests.reliability.operations import OPERATIONS
from tests.reliability.report import Result

# How many cases; "short" takes two minutes on two idle cores.
SIZES = {"short": 2000, "all": None}


def main() -> int:
    given = _arguments()
    library = faults.build(Path("target/reliability"))
    with _benches(given.workers, library) as benches:
        listed = all_cases(benches[0], given.operation or OPERATIONS)
        cases = listed
        if given.case:
            cases = [case for case in listed if given.case in str(case)]
        elif given.cases != "all":
            cases = some(listed, SIZES.get(given.cases) or int(given.cases))
        print(f"{len(cases)} of {len(listed)} cases, {len(benches)} at a time", flush=True)
        start = time.monotonic()
        results = _run(benches, cases, is_told=bool(given.case))
        seconds = time.monotonic() - start
    text = report.report(results, len(listed), seconds)
    print(text)
    if given.write:
        report.write(Path("docs/reliability.md"), text)
    return int(report.has_failed(results))


def _run(benches: list[Bench], cases: list[Case], *, is_told: bool) -> list[Result]:
    waiting: SimpleQueue[Case] = SimpleQueue()
    for case in cases:
        waiting.put(case)
    results: list[Result] = []

    def work(bench: Bench) -> None:
        while True:
            try:
                case = waiting.get_nowait()
            except Empty:
                return
            evidence = bench.run(case)
            result = Result(evidence, judge(evidence))
            if is_told:
                print(report.tell(result), flush=True)
            results.append(result.without_files())

    threads = [threading.Thread(target=work, args=[bench]) for bench in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(results) != len(cases):
        sys.exit("the lab itself broke: see above")
    order = {case: number for number, case in enumerate(cases)}
    return sorted(results, key=lambda result: order[result.evidence.case])


@contextmanager
def _benches(count: int, library: Path) -> Iterator[list[Bench]]:
    # In memory: an fsync takes no time, and nothing here is about power failures.
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="reliability-", dir=memory if memory.is_dir() else None))
    benches = []
    try:
        benches = [Bench(place / str(number), library) for number in range(count)]
        yield benches
    finally:
        for bench in benches:
            bench.close()
        shutil.rmtree(place, ignore_errors=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("--cases", default="short", help="short (the default), all, or how many")
    parser.add_argument("--operation", action="append", choices=list(OPERATIONS), help="only this")
    parser.add_argument(
        "--case", help="only the cases whose name holds this text, each told in full"
    )
    # A case sleeps for the most part: the process lives on for a moment after the fault.
    workers = 4 * (os.cpu_count() or 1)
    parser.add_argument("--workers", type=int, default=workers, help="cases at a time")
    parser.add_argument(
        "--write", action="store_true", help="put the tables into docs/reliability.md"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
