"""Runs pieces in fresh interpreters, in an environment of their own: no proxy, no keys of the user.

Only the time that a run prints counts; starting Python is not part of it.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from benches.pieces import Subject
from tests.servers.fixture import AngelServer

ROOT = Path(__file__).resolve().parent.parent
START = "began = time.perf_counter()"
STOP = "print((time.perf_counter() - began) * 1000)"


class Interpreter:
    def __init__(self, home: Path, server: AngelServer) -> None:
        self.home = home
        self._arguments = [str(home), *AngelServer.VIEWER]
        inherited = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        self.environment = {
            **inherited,
            **server.environment(),
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "share"),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "python"), str(ROOT)]),
        }

    def time(self, subject: Subject) -> float:
        """How many milliseconds the timed pieces took."""
        return float(self.run([*subject.before, START, *subject.timed, STOP]))

    def run(self, pieces: list[str]) -> str:
        code = "\n".join(["import sys, time", *pieces])
        ended = subprocess.run(  # noqa: S603 - our own pieces
            [sys.executable, "-c", code, *self._arguments],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if ended.returncode:
            raise SystemExit(f"a run failed:\n{code}\n{ended.stderr}")
        return ended.stdout


def is_installed(subject: Subject) -> bool:
    return not subject.needs or importlib.util.find_spec(subject.needs) is not None
