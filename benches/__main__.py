"""What Sessionkeeper costs an add-on, and what survives a power cut, beside peers: `make bench`.

Every time is the median of runs in fresh processes, because Kodi starts a new interpreter for each
call; the rows of a table take turns, so that a busy moment meets them all. The service is the
stand-in on loopback. Proves nothing; tests do.

    python -m benches [--rounds N] [--kills N]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Callable

from benches import pieces, survival
from benches.interpreter import ROOT, Interpreter, is_installed
from benches.pieces import Subject
from tests.servers.fixture import AngelServer


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches", description="Measure.")
    parser.add_argument("--rounds", type=int, default=15, help="runs per time (15)")
    parser.add_argument("--kills", type=int, default=200, help="kill -9 per system (200)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sessionkeeper-bench-") as directory:
        home = Path(directory)
        with AngelServer(home / "server") as server:
            interpreter = Interpreter(home, server)
            measure_times(interpreter, server, chosen.rounds)
            survival.measure(interpreter, chosen.kills)
    for module in sorted((ROOT / "python" / "sessionkeeper").glob("_native*")):
        if module.suffix != ".pyi":
            print(f"\nsize of the compiled module {module.stat().st_size // 1024:>8} KiB")
    return 0


def measure_times(interpreter: Interpreter, server: AngelServer, rounds: int) -> None:
    def table(title: str, subjects: list[Subject], again: Callable[[], object]) -> None:
        """`again` brings back what a round has used up."""
        present = [subject for subject in subjects if is_installed(subject)]
        times: dict[str, list[float]] = {subject.name: [] for subject in present}
        for _ in range(rounds):
            again()
            for subject in present:
                times[subject.name].append(interpreter.time(subject))
        show(title, subjects, times, rounds)

    def prepare() -> None:
        for subject in filter(is_installed, pieces.PREPARATIONS):
            interpreter.run(subject.before)

    prepare()
    table("import", pieces.IMPORT, nothing)
    table("a stored session, in a fresh interpreter", pieces.RESTORING, nothing)
    table("the same once more, everything imported", pieces.RESTORING_AGAIN, nothing)
    table("forgetting a session on this device", pieces.FORGETTING, prepare)
    table("with the server on loopback", pieces.ONLINE, nothing)
    times = []
    for _ in range(rounds):
        interpreter.run([pieces.OPEN, pieces.LOG_IN])
        server.stop()
        try:
            times.append(interpreter.time(pieces.AWAY))
        finally:
            server.start()
    show("with the server away", [pieces.AWAY], {pieces.AWAY.name: times}, rounds)


def show(title: str, subjects: list[Subject], times: dict[str, list[float]], rounds: int) -> None:
    ours = statistics.median(times[subjects[0].name])
    heading = f"{title} (ms, {rounds} runs each)"
    print(f"\n{heading:58}{'median':>9}{'worst':>9}{'to ours':>9}")
    for subject in subjects:
        measured = times.get(subject.name)
        if not measured:
            print(f"  {subject.name:56}{'not installed':>18}")
            continue
        median = statistics.median(measured)
        ratio = f"{median / ours:8.2f}x" if subject is not subjects[0] and subject.needs else ""
        print(f"  {subject.name:56}{median:9.2f}{max(measured):9.2f}{ratio:>9}", flush=True)


def nothing() -> None:
    """No round uses anything up."""


if __name__ == "__main__":
    sys.exit(main())
