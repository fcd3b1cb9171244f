"""invocation.py as the script of an add-on, in a real Kodi, dozens of times on one connection."""

from __future__ import annotations

import importlib.util
import shutil
import time
from importlib import resources
from pathlib import Path

from benches import invocation
from benches.report import Marks
from tests.kodi.harness import Kodi
from tests.kodi.staging import place_script
from tests.servers.fixture import StandIn

BENCH_ID = "script.bench"
# The package `requests` and what it imports.
PEERS = ("requests", "urllib3", "idna", "certifi", "charset_normalizer")
# Until Kodi has taken an interpreter apart, and until it rests after its start.
PAUSE_S = 0.05
SETTLING_S = 5.0


def measure(
    server: StandIn, home: Path, rounds: int
) -> tuple[str, dict[str, list[Marks]], dict[str, list[float]]]:
    """The versions of Kodi and its Python, the runs by subject, and how many seconds each took from
    its first line to its first answer, an empty script from its call; `home` is prepared.
    """
    subjects = ["empty", "sessionkeeper"]
    if all(importlib.util.find_spec(peer) for peer in PEERS):
        subjects.append("requests")
        copy_peers(home / "peers")
    kodi = Kodi(home / "kodi", server)
    kodi.environment.update(invocation.environment(server.ca_file, server.resolve))
    kodi.environment["BENCH_VIEWER"] = "\n".join(server.VIEWER)
    try:
        script = Path(invocation.__file__).read_text("utf-8")
        place_script(home / BENCH_ID, "Bench", script)
        kodi.add_addon(home / BENCH_ID)
        kodi.start()
        time.sleep(SETTLING_S)
        runs: dict[str, list[Marks]] = {subject: [] for subject in subjects}
        whole: dict[str, list[float]] = {subject: [] for subject in subjects}
        for number in range(rounds + 2):
            for subject in subjects:
                # The clock that the script goes by as well: CLOCK_MONOTONIC.
                called = time.perf_counter()
                python, marks = invoke(kodi, subject, home)
                if number > 1:  # the first ones compile, and load the module
                    runs[subject].append(marks)
                    # Import, restore, first request. An empty script ends as it begins.
                    since = called if subject == "empty" else marks[0][0]
                    whole[subject].append(marks[:4][-1][0] - since)
        found = kodi.rpc("Application.GetProperties", properties=["version"])["version"]
        return f"{found['major']}.{found['minor']} (Python {python})", runs, whole
    finally:
        kodi.close()


def invoke(kodi: Kodi, subject: str, home: Path) -> tuple[str, Marks]:
    result = home / "result"
    kodi.run(subject, str(home), str(result), addon=BENCH_ID)
    kodi.remote.wait_for(result.exists, f"the result of {subject}", 30, pause=0.01)
    found = read(result)
    time.sleep(PAUSE_S)
    return found


def read(result: Path) -> tuple[str, Marks]:
    """What invocation.py wrote: the version of its Python, and the marks."""
    python, *lines = result.read_text().splitlines()
    result.unlink()
    return python, [(float(wall), float(cpu)) for wall, cpu in map(str.split, lines)]


def copy_peers(target: Path) -> None:
    for peer in PEERS:
        shutil.copytree(str(resources.files(peer)), target / peer)
