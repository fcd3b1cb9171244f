"""kill -9 while writing: what is left of a stored session, ours and the peers', and in which files.

For each system one process forks a victim per round, which writes without end until it is killed at
a random moment, and then an onlooker with a memory of nothing, which says what it found.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any, Callable

from benches.interpreter import Interpreter
from benches.systems import SYSTEMS, Ours, Peer, is_installed
from tests.canaries import Search, written_files
from tests.servers.fixture import AngelServer

STATES = ("whole", "empty", "torn", "gone")
# A victim lives so long after its first write: some tens of writes of the fastest.
LONGEST_LIFE = 0.08
# Files that belong to a system; any other was left behind.
KEPT = ("vault.db", "vault.db-journal", "sessionkeeper.log", "cache.json", "session.json")


def measure(interpreter: Interpreter, kills: int) -> None:
    print(f"\n{f'kill -9 while writing ({kills} each)':24}", end="")
    print("".join(f"{state:>8}" for state in STATES), end="")
    print(f"{'left over':>12}{'in the clear':>14}")
    for system in SYSTEMS:
        if not is_installed(system.name):
            print(f"  {system.name:32}{'not installed':>14}")
            continue
        directory = str(interpreter.home / "kills" / system.name / "data")
        name, password = AngelServer.VIEWER
        interpreter.environment.update(BENCH_NAME=name, BENCH_PASSWORD=password)
        arguments = [system.name, str(kills), directory]
        found = json.loads(
            interpreter.run([f"from benches import survival; survival.one(*{arguments!r})"])
        )
        states = "".join(f"{found[state]:>8}" for state in STATES)
        print(f"  {system.name:32}{states}{found['left_over']:>12}{found['in_the_clear']:>14}")
    print("  left over: other files, at the end; in the clear: files with a secret, at the most")


def one(name: str, kills: str, directory: str) -> None:
    (kind,) = (system for system in SYSTEMS if system.name == name)
    place = Path(directory)
    place.mkdir(parents=True)
    system = kind(place)
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    secrets = in_a_child(system.fill)
    search = Search({f"secret {number}": secret for number, secret in enumerate(secrets)})
    counts = Counter(dict.fromkeys(STATES, 0))
    in_the_clear = 0
    for _ in range(int(kills)):
        kill_while_writing(system, chance.uniform(0, LONGEST_LIFE))
        state = in_a_child(system.look)
        counts[state] += 1
        in_the_clear = max(in_the_clear, readable(search, place))
        if state != "whole" and isinstance(system, Ours):
            raise SystemExit(f"{name} lost what it kept: see {directory}")
    files = list(written_files(place))
    left_over = [file for file in files if file.name not in KEPT and file.suffix != ".lock"]
    in_a_child(system.finish)
    print(json.dumps({**counts, "left_over": len(left_over), "in_the_clear": in_the_clear}))


def readable(search: Search, place: Path) -> int:
    return sum(bool(search.content("", file.read_bytes())) for file in written_files(place))


def kill_while_writing(system: Ours | Peer, life: float) -> None:
    reader, writer = os.pipe()
    victim = os.fork()
    if not victim:
        os.close(reader)
        end_with(lambda: system.write(partial(os.write, writer, b"!")))
    os.close(writer)
    with os.fdopen(reader, "rb") as begun:
        if begun.read(1) != b"!":
            raise SystemExit(f"{system.name}: the victim ended by itself")
        time.sleep(life)
        os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)


def in_a_child(work: Callable[[], object]) -> Any:
    """What `work` gives, as plain data, in a process that has seen nothing yet."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        end_with(lambda: os.write(writer, json.dumps(work()).encode()))
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit("a process of the measurement failed; its error is above")
    return json.loads(text)


def end_with(work: Callable[[], object]) -> None:
    """Does the work of a forked process, and nothing of its parent's."""
    try:
        work()
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it was
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)
