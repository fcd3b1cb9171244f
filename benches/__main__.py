"""What Sessionkeeper costs an add-on, beside other libraries: `make bench`.

Writes docs/benchmarks.md, and prints it. It measures invocations in fresh interpreters, in CPython
and in a real Kodi, and logging in and out in one process. It proves nothing; tests do.

    python -m benches [--rounds N] [--output FILE]
"""

from __future__ import annotations

import os
import sys

# No proxy, no CA file, no switch of Python's: above all, all bytecode is cached.
for variable in [*os.environ]:
    if variable not in ("HOME", "LANG", "PATH"):
        del os.environ[variable]
sys.dont_write_bytecode = False

import argparse  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

from benches import in_kodi, in_process, invocation, report  # noqa: E402
from benches.report import ROOT, Marks  # noqa: E402
from tests.kodi import harness  # noqa: E402
from tests.servers.fixture import StandIn  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches", description="Measure.")
    parser.add_argument("--rounds", type=int, default=40, help="runs of each row (40)")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sessionkeeper-bench-") as directory:
        text = measure(Path(directory), chosen.rounds)
    chosen.output.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def measure(home: Path, rounds: int) -> str:
    load = f"{os.getloadavg()[0]:.1f}"
    with StandIn("angel", home / "server") as server:
        os.environ.update(invocation.environment(server.ca_file, server.resolve))
        invocation.connect_to_stand_in()
        in_process.prepare(server, home)
        progress("invocations in fresh interpreters")
        fresh = invocations(home, rounds)
        progress("in one process")
        times = in_process.measure(server, home, rounds)
        kodi, in_kodis_words = "not here: left out", ""
        if harness.available():
            progress("invocations in Kodi")
            kodi, runs, whole = in_kodi.measure(server, home, rounds)
            in_kodis_words = (
                f"\n## One invocation in Kodi\n\n{report.in_kodi(runs)}\n{report.whole(whole)}"
            )
    return "".join(
        [
            report.INTRODUCTION,
            f"\n{report.about(kodi, load)}",
            f"\n## One invocation in a fresh Python\n\n{report.in_fresh_interpreters(fresh)}",
            in_kodis_words,
            "\n## In one process\n",
            *(f"\n{report.in_one_process(heading, rows)}" for heading, rows in times.items()),
            f"\n{report.beside_the_bare_client(times['log in'], times['log out'])}",
        ]
    )


def invocations(home: Path, rounds: int) -> dict[str, list[Marks]]:
    runs: dict[str, list[Marks]] = {name: [] for name in ("sessionkeeper", *in_process.installed())}
    for number in range(rounds + 1):
        for name, found in runs.items():
            command = [sys.executable, invocation.__file__, name, str(home), str(home / "result")]
            subprocess.run(command, cwd=home, timeout=60, check=True)  # noqa: S603
            _, marks = in_kodi.read(home / "result")
            if number:  # the first round warms up
                found.append(marks)
    return runs


def progress(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
