"""How `make run` tells and proves: numbered steps, who sees what, and proofs that can fail.

Owns the printing and the command line of one make-believe device. Knows no service and no order of
events; that is demo.py's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from tests.servers.fixture import AngelServer

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).parent / "sessionkeeper"
LIMIT = 60.0  # seconds for one command
WIDTH = 100

# Prints a session's secrets, for the proofs: what somebody who copied them would hold.
COPY = """
import json, sessionkeeper, sys
session = sessionkeeper.open(sys.argv[1], data_dir=sys.argv[2]).restore()
print(json.dumps({"headers": dict(session.headers), "cookies": dict(session.cookies)}))
"""


class ProofFailedError(Exception):
    """A step did not do what it must."""


class Story:
    def __init__(self) -> None:
        self._steps = 0
        self.proofs = 0

    def chapter(self, text: str) -> None:
        print(f"\n{text}\n{'-' * len(text)}", flush=True)

    def step(self, text: str) -> None:
        self._steps += 1
        print(f"\n{self._steps:2}. {text}", flush=True)

    def line(self, who: str, text: str) -> None:
        for part in textwrap.wrap(text, WIDTH - 13, break_on_hyphens=False) or [""]:
            print(f"    {who:<8} {part}", flush=True)
            who = ""

    def prove(self, what: str, holds: bool, found: object = "") -> None:
        """Counts a proof, or tells what was found in its place and ends the story."""
        if not holds:
            self.line("FAILED", f"{what}. Found: {found}")
            raise ProofFailedError(what)
        self.proofs += 1
        self.line("proved", what)


class Device:
    """The command line on a device of its own: its data and its key are in a throw-away place."""

    def __init__(self, provider: str, password: str, server: AngelServer, home: Path) -> None:
        self._provider = provider
        self._data = home / "data"
        self._options = ["--data-dir", str(self._data), "--provider", provider]
        self._options += ["--ca-file", server.ca_file]
        for resolve in server.resolve:
            self._options += ["--resolve", resolve]
        inherited = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        self._environment = {
            **inherited,
            **server.environment(),
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "keys"),
            "SESSIONKEEPER_PASSWORD": password,
        }

    def run(self, story: Story, *arguments: str, expect: int = 0) -> dict[str, Any]:
        """One command in a process of its own: what it printed, its exit status proved."""
        shown = " ".join(f"'{one}'" if " " in one else one for one in arguments)
        story.line("$", f"sessionkeeper {shown}")
        result = self._process([str(COMMAND), *self._options, "--json", *arguments])
        if result.returncode != expect:
            found = f"exit status {result.returncode}; {result.stdout} {result.stderr}"
            story.prove(f"the command ends with {expect}", False, found)
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def copied_credentials(self, story: Story) -> dict[str, Any]:
        result = self._process([sys.executable, "-c", COPY, self._provider, str(self._data)])
        held = result.returncode == 0
        story.prove("another process, in Python, has the session too", held, result.stderr)
        copy: dict[str, Any] = json.loads(result.stdout)
        return copy

    def _process(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
