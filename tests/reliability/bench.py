"""A place where cases run one after the other: a server, a zygote, and the data directories that
operations begin with. Several benches run side by side.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.reliability.faults import NOTHING, Fault
from tests.reliability.operations import OPERATIONS
from tests.reliability.server import Server, World

TEMPLATES = [("nobody", "plain"), ("two", "plain"), ("two", "rotating"), ("waiting", "plain")]


@dataclass(frozen=True)
class Case:
    operation: str
    is_well: bool
    fault: Fault

    def __str__(self) -> str:
        fault = self.fault
        which = {0: "once", 1: "from then on"}.get(fault.every, f"then each {fault.every}.")
        server = "well" if self.is_well else "away"
        where = " of vault.db" if fault.in_vault else ""
        kinds = "+".join(fault.classes) + where
        return f"{self.operation} / server {server} / {kinds} {fault.first} {which} / {fault.error}"


@dataclass(frozen=True)
class Evidence:
    """All that is known of one case. `before`, `between` and `after`: the server's sessions before
    the operation, after it, and after the look."""

    case: Case
    before: World
    between: World
    after: World
    act: dict[str, Any]
    look: dict[str, Any]
    # Files of the data and key directories, after the operation and after the look.
    files: dict[str, bytes]


class Bench:
    def __init__(self, directory: Path, library: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True)
        self.server = Server()
        for kind in ("plain", "rotating"):
            (directory / f"{kind}.toml").write_text(self.server.provider(kind), "utf-8")
        environment = {**os.environ, "LD_PRELOAD": str(library), "HOME": str(directory)}
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self._worlds = {one: self._prepare(*one) for one in TEMPLATES}

    def close(self) -> None:
        self.server.close()
        self._zygote.communicate(timeout=10)
        shutil.rmtree(self.directory, ignore_errors=True)

    def calls(self, operation: str, *, is_well: bool) -> list[int]:
        """The classes of each call that the operation makes when nothing fails."""
        evidence = self.run(Case(operation, is_well, NOTHING))
        calls: list[int] = evidence.act["calls"]
        return calls

    def run(self, case: Case) -> Evidence:
        operation = OPERATIONS[case.operation]
        root = self.directory / "case"
        shutil.rmtree(root, ignore_errors=True)
        template = self._template(operation.template, operation.kind)
        shutil.copytree(template, root)
        self.server.set(self._worlds[operation.template, operation.kind])
        before = self._world()
        if not case.is_well:
            self.server.away()
        work = {"root": str(root), "name": case.operation}
        act = self._ask({**work, "do": "act", "fault": asdict(case.fault)})
        between, files = self._world(), _files(root)
        self.server.well()
        look = self._ask({**work, "do": "look"})
        files.update({f"{name} (later)": data for name, data in _files(root).items()})
        return Evidence(case, before, between, self._world(), act, look, files)

    def _world(self) -> World:
        world = self.server.world
        self.server.set(world)
        return world

    def _template(self, template: str, kind: str) -> Path:
        return self.directory / f"{template}-{kind}"

    def _prepare(self, template: str, kind: str) -> World:
        root = self._template(template, kind)
        root.mkdir()
        self.server.set(World())
        if template != "nobody":
            done = self._ask({"do": "prepare", "root": str(root), "kind": kind, "name": template})
            expected = {"accounts": 2, "waiting": int(template == "waiting"), "stderr": ""}
            assert done == expected, done
        return self._world()

    def _ask(self, work: dict[str, Any]) -> dict[str, Any]:
        assert self._zygote.stdin
        assert self._zygote.stdout
        self._zygote.stdin.write(json.dumps(work) + "\n")
        self._zygote.stdin.flush()
        answer: dict[str, Any] = json.loads(self._zygote.stdout.readline())
        return answer


def _files(root: Path) -> dict[str, bytes]:
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}
