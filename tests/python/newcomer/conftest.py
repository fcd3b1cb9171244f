"""How the newcomers' files are opened: a device of its own for each name, with all that leads it
to a stand-in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sessionkeeper
from tests.servers.fixture import StandIn

HERE = Path(__file__).parent


@pytest.fixture
def opener(tmp_path: Path) -> Callable[..., sessionkeeper.Keeper]:
    def give(
        server: StandIn, file: str, device: str = "device", **more: object
    ) -> sessionkeeper.Keeper:
        return sessionkeeper.open(
            HERE / file,
            data_dir=tmp_path / device / "data",
            key_dir=tmp_path / device / "keys",
            renewal_margin=60,
            **{"parameters": server.parameters, **server.options(), **more},
        )

    return give


@pytest.fixture
def checked() -> Callable[[str], list[str]]:
    """What the command line says of a file that has no problem."""

    def give(file: str) -> list[str]:
        command = [sys.executable, "-m", "sessionkeeper", "providers", "check", str(HERE / file)]
        ran = subprocess.run(
            command, check=False, capture_output=True, encoding="utf-8", timeout=30
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        *told, verdict = ran.stdout.splitlines()
        assert verdict.startswith("No problems")
        return told

    return give
