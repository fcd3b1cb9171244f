"""Programs of their own processes, and what they leave: for tests of what outlives a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import sessionkeeper
from tests.servers.fixture import StandIn


def command(program: str, options: dict[str, Any], *arguments: str) -> list[str]:
    return [sys.executable, "-c", program, json.dumps(options), *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(sessionkeeper.__file__).parents[1])}


def run(program: str, options: dict[str, Any], *arguments: str) -> str:
    ended = subprocess.run(
        command(program, options, *arguments),
        capture_output=True,
        timeout=60,
        check=True,
        encoding="utf-8",
        env=environment(),
    )
    assert ended.stderr == ""
    return ended.stdout.strip()


def quiet(options: dict[str, Any]) -> sessionkeeper.Keeper:
    """A keeper that does what it is asked and nothing else."""
    return sessionkeeper.open("angel", **options, background=False)


def log_in(angel: StandIn, options: dict[str, Any]) -> None:
    quiet(options).login(*angel.VIEWER)


def await_that(is_so: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_dead(angel: StandIn) -> bool:
    return not any(session["alive"] for session in angel.sessions())
