"""The command line on a make-believe device: its data and its key are in a throw-away place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.servers.fixture import StandIn

from .story import Story

ROOT = Path(__file__).resolve().parents[3]
PROVIDERS = ROOT / "resources" / "providers"
COMMAND = Path(sys.executable).parent / "sessionkeeper"
LIMIT = 60.0  # seconds for one command

# Prints a session's secrets, for the proofs: what somebody who copied them would hold.
COPY = """
import json, sessionkeeper, sys
session = sessionkeeper.open(sys.argv[1], **json.loads(sys.argv[2])).session
print(json.dumps({"headers": dict(session.headers), "cookies": session.cookies}))
"""

# What the command line says when it has shown what there is, and begins to wait.
_WAITS = ("The code is good for", "whether its page is there or not")
_BEFORE_QR = "or scan this"


# What there is to be shown where the viewer logs in elsewhere, and on how many lines.
_SHOWN = {
    "code": ("an address and a code", 2),
    "address": ("an address", 1),
    "browser": ("an address, and where it leads", 2),
}


def declared_parameters(provider: str) -> list[dict[str, Any]]:
    """The parameters that the provider's file has."""
    command = [str(COMMAND), "--json", "providers"]
    shown = subprocess.run(command, capture_output=True, check=True, timeout=LIMIT).stdout
    known = {entry["id"]: entry["parameters"] for entry in json.loads(shown)["providers"]}
    parameters: list[dict[str, Any]] = known[provider]
    return parameters


class Device:
    def __init__(
        self, provider: str, parameters: dict[str, str], server: StandIn, home: Path
    ) -> None:
        self.data = home / "data"
        self._provider = provider
        self._parameters = parameters
        self._options = ["--data-dir", str(self.data), "--provider", provider]
        for name, value in parameters.items():
            self._options += ["--parameter", f"{name}={value}"]
        self._options += server.arguments()
        inherited = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
        self._environment = {
            **inherited,
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "keys"),
            "SESSIONKEEPER_PASSWORD": server.VIEWER[1],
            "PYTHONIOENCODING": "utf-8",
        }
        self.data.mkdir(parents=True)

    def another(self, server: StandIn, home: Path) -> Device:
        """A second device with the same service."""
        return Device(self._provider, self._parameters, server, home)

    def run(self, story: Story, *arguments: str, expect: int = 0) -> dict[str, Any]:
        """One command in a process of its own: what it printed, its exit status proved."""
        answer: dict[str, Any] = json.loads(self._run(story, arguments, expect, "--json"))
        return answer

    def read(self, story: Story, *arguments: str) -> str:
        """The same with what it prints for people."""
        return self._run(story, arguments, 0).strip()

    def log_in_elsewhere(
        self, story: Story, way: str, agree: Callable[..., str], *, with_qr: bool
    ) -> dict[str, Any]:
        """`login` where the service shows a code or an address: what the viewer sees, then `agree`
        gets it, and gives what is typed then, if anything.

        `with_qr` tells the QR code too; it is always shown to the viewer.
        """
        login = ["login", *(["--paste"] if way == "browser" else [])]
        story.line("$", f"sessionkeeper {' '.join(login)}")
        process = subprocess.Popen(
            [str(COMMAND), *self._options, "--json", *login],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        limit = threading.Timer(LIMIT, process.kill)
        limit.start()
        try:
            with process:
                shown = _read_until_it_waits(process)
                texts, found = _texts(shown)
                story.screen("viewer", shown if with_qr else texts)
                what, lines = _SHOWN[way]
                story.prove(f"the viewer is shown {what}", len(found) == lines, found)
                printed, errors = process.communicate(agree(*found))
        finally:
            limit.cancel()
        if process.returncode != 0:
            found = f"exit status {process.returncode}; {printed} {errors}"
            story.prove("the command ends with 0", False, found)
        status: dict[str, Any] = json.loads(printed)
        return status

    def copied_credentials(self, story: Story) -> dict[str, Any]:
        options = json.dumps({"data_dir": str(self.data), "parameters": self._parameters})
        command = [sys.executable, "-c", COPY, self._provider, options]
        result = self._process(story, command)
        held = result.returncode == 0
        story.prove("another process can use the session from Python", held, result.stderr)
        copy: dict[str, Any] = json.loads(result.stdout)
        return copy

    def _run(self, story: Story, arguments: tuple[str, ...], expect: int, *form: str) -> str:
        shown = " ".join(f"'{one}'" if " " in one else one for one in arguments)
        story.line("$", f"sessionkeeper {shown}")
        result = self._process(story, [str(COMMAND), *self._options, *form, *arguments])
        if result.returncode != expect:
            found = f"exit status {result.returncode}; {result.stdout} {result.stderr}"
            story.prove(f"the command ends with {expect}", False, found)
        return result.stdout

    def _process(self, story: Story, command: list[str]) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                command,
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            story.prove(f"the command ends within {LIMIT:g} s", False, error.stderr)
            raise


def _read_until_it_waits(process: subprocess.Popen[str]) -> list[str]:
    """What it has shown by then; when it ended instead, all that it said."""
    assert process.stderr is not None
    shown = []
    for line in process.stderr:
        shown.append(line.rstrip("\n"))
        if line.startswith(_WAITS):
            break
    return shown


def _texts(shown: list[str]) -> tuple[list[str], list[str]]:
    """The lines without the QR code; and what stands on a line of its own: addresses, and a code if
    there is one.
    """
    cut = next((i for i, line in enumerate(shown) if line.startswith(_BEFORE_QR)), len(shown))
    texts = [line for line in shown[:cut] if line]
    found = [line.strip() for line in texts if line.startswith(("    ", "https://"))]
    return [*texts, *shown[-1:]] if cut < len(shown) else texts, found
