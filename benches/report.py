"""docs/benchmarks.md, made from one run: tables of medians, and what they come to in sentences."""

from __future__ import annotations

import os
import platform
import statistics
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

INTRODUCTION = """# Benchmarks

One run of `make bench`, which writes this page.
Each figure is a median in milliseconds; "to ours" is the row's time divided by ours.
The service is a stand-in on the same machine, and every row includes the time that it takes.
Bytecode is cached on every side. The rows take turns, so that a busy moment slows them all.
"""
ROOT = Path(__file__).resolve().parent.parent

# Of one run of invocation.py: wall clock and CPU at the start and after each stage, in seconds.
Marks = list[tuple[float, float]]
# Milliseconds by row, one for each round. The first row is ours.
Times = dict[str, list[float]]


def in_fresh_interpreters(runs: dict[str, list[Marks]]) -> str:
    ours = stages(runs["sessionkeeper"])
    rows = []
    for name, marks in runs.items():
        took = stages(marks)
        request = [number(one) for one in took[2:]] or ["", ""]
        ratios = [ratio(sum(took[:2]), sum(ours[:2]))]
        ratios.append(ratio(sum(took[:3]), sum(ours[:3])) if took[2:] else "")
        rows.append([name, number(took[0]), number(took[1]), *request, *ratios])
    return table(
        ["", "import", "restore", "first request", "next", "to ours, to restore", "to request"],
        rows,
    )


def in_kodi(runs: dict[str, list[Marks]]) -> str:
    """CPU is the invocation's own thread, less what the empty script takes."""
    nothing = statistics.median(marks[-1][1] for marks in runs.pop("empty")) * 1000
    ours = restored_cpu(runs["sessionkeeper"]) - nothing
    rows = []
    for name, marks in runs.items():
        cpu, wall = restored_cpu(marks) - nothing, stages(marks)
        of_request = stages(marks, column=1)[2]
        row = [cpu, wall[0] + wall[1], of_request, wall[2]]
        rows.append([name, *map(number, row), ratio(cpu, ours)])
    note = (
        "\nCPU is that of the invocation's thread, "
        f"less the {number(nothing)} ms that an empty script takes.\n"
        "Ours finds the connection that an earlier invocation left open.\n"
    )
    heading = [
        "",
        "to restore: CPU",
        "wall",
        "first request: CPU",
        "wall",
        "to ours, CPU to restore",
    ]
    return table(heading, rows) + note


def whole(took: dict[str, list[float]]) -> str:
    """From the first line to the first answer, in seconds; of an empty script, from its call."""
    median = {name: statistics.median(times) * 1000 for name, times in took.items()}
    nothing = median.pop("empty")
    rows = [
        [name, number(one), ratio(one, median["sessionkeeper"])] for name, one in median.items()
    ]
    note = (
        "\nFrom the script's first line to the answer of its first request; Kodi takes another "
        f"{number(nothing)} ms from the call of a script to its first line.\n"
        "That is import, open at the viewer's accounts, restore and a request, on the connection "
        "that the service or an earlier invocation left open; for requests, with a pickled jar and "
        "a connection of its own.\n"
    )
    return table(["an add-on's invocation", "over an empty script", "to ours"], rows) + note


def in_one_process(heading: str, times: Times) -> str:
    ours = statistics.median(next(iter(times.values())))
    rows = []
    for name, took in times.items():
        median = statistics.median(took)
        rows.append([name, number(median), number(max(took)), ratio(median, ours)])
    return table([heading, "median", "worst", "to ours"], rows)


def beside_the_bare_client(log_in: Times, log_out: Times) -> str:
    def median(times: Times, row: str) -> float:
        return statistics.median(times[row])

    entering = median(log_in, "sessionkeeper") / median(log_in, "bare client")
    leaving, bare = median(log_out, "sessionkeeper"), median(log_out, "bare client")
    writes = (leaving - bare) / median(log_out, "sessionkeeper, local only")
    return (
        "The bare client is Python's `http.client` with the same requests, and keeps nothing.\n"
        "Like ours, it connects anew for each login, and logs out on an open connection.\n"
        f"A login of ours takes {number(entering)} times its time.\n"
        f"A logout of ours takes {number(leaving / bare)} times its time, "
        f"or its time and {number(writes)} local-only logouts.\n"
    )


def about(kodi: str, load: str) -> str:
    """What it was measured with. Names no host, user or path."""
    module = max((ROOT / "python" / "sessionkeeper").glob("_native*.so")).stat().st_size
    peers = ("requests", "httpx", "msal-extensions")
    rows = [
        ["date", datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")],
        ["load before the run", load],
        ["processor", f"{processor()}, {os.cpu_count()} CPUs"],
        ["system", f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.machine()}"],
        ["Python", platform.python_version()],
        ["Kodi", kodi],
        ["Sessionkeeper", f"{version('sessionkeeper')}, module of {module // 1024} KiB"],
        *([name, version(name)] for name in peers),
    ]
    return table(["", ""], rows)


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return "unknown"


def version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def stages(runs: list[Marks], column: int = 0) -> list[float]:
    """What each stage took, in milliseconds: the median of all runs."""
    took = [[b[column] - a[column] for a, b in zip(marks, marks[1:])] for marks in runs]
    return [statistics.median(stage) * 1000 for stage in zip(*took)]


def restored_cpu(runs: list[Marks]) -> float:
    return statistics.median(marks[2][1] for marks in runs) * 1000


def table(heading: list[str], rows: list[list[str]]) -> str:
    rule = ["---"] + ["--:" if len(heading) > 2 else "---"] * (len(heading) - 1)
    return "".join("| " + " | ".join(row) + " |\n" for row in [heading, rule, *rows])


def ratio(row: float, ours: float) -> str:
    return number(row / ours)


def number(value: float) -> str:
    """To three figures or so."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f}"
