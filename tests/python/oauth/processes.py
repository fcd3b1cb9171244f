"""Other processes with the same data directory, and some that are killed (child.py)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Any

from tests.python.oauth.issuers import ROOT


class Process:
    """It has a keeper, and does one thing at a time."""

    def __init__(self, options: dict[str, Any] | None) -> None:
        given = [] if options is None else [json.dumps(options)]
        path = os.pathsep.join([str(ROOT), str(ROOT / "python")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.python.oauth.child", *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._answer() == "ready"

    def begin(self, verb: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{verb}\n".encode())
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """{"value"} or {"error"}."""
        answer: dict[str, Any] = self._answer()
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process ended"
        return json.loads(line)


class Victims(Process):
    """Copies of a process, which cost little; each is for one thing."""

    def __init__(self) -> None:
        super().__init__(None)

    def run(
        self, options: dict[str, Any], verb: str, kill_after: float | None = None
    ) -> dict[str, Any]:
        """Lets one do it, from which time on `kill_after` counts: {"seconds", "killed"}."""
        self.begin(json.dumps({"options": options, "verb": verb, "kill_after": kill_after}))
        return self.end()
