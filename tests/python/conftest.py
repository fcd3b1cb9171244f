"""What the Python tests share: the double of the compiled module, and the stand-in server.

A test takes `native` to look at the Python part alone, or `angel` and `keeper` for the real module
against the real requests. No test takes both, and none reaches any other server.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from sessionkeeper import loading
from tests.python.native_double import NativeDouble
from tests.servers.browser import Browser
from tests.servers.fixture import StandIn


@pytest.fixture(autouse=True)
def _no_help_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SESSIONKEEPER_PASSWORD", raising=False)
    monkeypatch.delenv("SESSIONKEEPER_ANSWER", raising=False)


@pytest.fixture(autouse=True)
def _nothing_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test asks for happens when it asks; test_background.py is about the rest."""
    monkeypatch.setitem(sessionkeeper.open.__kwdefaults__, "background", False)


@pytest.fixture
def native(monkeypatch: pytest.MonkeyPatch) -> NativeDouble:
    """The double, in the place of the compiled module."""
    double = NativeDouble()
    monkeypatch.setattr(loading, "_loaded", double)
    return double


@pytest.fixture
def angel(stand_in: Callable[[str], StandIn]) -> StandIn:
    """The stand-in of Angel Studios: nobody is logged in, and nothing is wrong."""
    return stand_in("angel").reset()


@pytest.fixture
def server(angel: StandIn) -> StandIn:
    """The same, in the tests of the stand-in itself."""
    return angel


@pytest.fixture
def browser(server: StandIn) -> Browser:
    """Logged in as the viewer."""
    browser = Browser(server)
    assert "Signed in as viewer@example.com" in browser.log_in(*server.VIEWER).text
    return browser


@pytest.fixture
def options(angel: StandIn, tmp_path: Path) -> dict[str, Any]:
    """Of a keeper of this test's own data directory, for the stand-in; also for other processes."""
    places = {"data_dir": str(tmp_path / "data"), "key_dir": str(tmp_path / "keys")}
    return {**places, **angel.options()}


@pytest.fixture
def open_keeper(options: dict[str, Any]) -> Callable[..., sessionkeeper.Keeper]:
    """Opens such a keeper."""

    def open_it(provider: Any = "angel", **given: Any) -> sessionkeeper.Keeper:
        return sessionkeeper.open(provider, **{**options, **given})

    return open_it


@pytest.fixture
def keeper(open_keeper: Callable[..., sessionkeeper.Keeper]) -> sessionkeeper.Keeper:
    return open_keeper()


class CommandLine:
    """Runs `python -m sessionkeeper` as a process of its own, in a home of its own; it connects to
    the server.
    """

    def __init__(self, home: Path, server: StandIn) -> None:
        self.home = home
        package = str(Path(sessionkeeper.__file__).parents[1])
        self.environment = {
            **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "share"),
            "PYTHONPATH": package,
            "PYTHONWARNINGS": "error",
        }
        self.arguments = ["--data-dir", str(home / "data"), *server.arguments()]

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "sessionkeeper", *self.arguments, *arguments]

    def run(
        self, *arguments: str, given: bytes = b"", **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.command(*arguments),
            input=given,
            capture_output=True,
            env={**self.environment, **environment},
            timeout=60,
            check=False,
        )

    def json(self, *arguments: str, given: bytes = b"", exit_status: int = 0) -> dict[str, Any]:
        """The one object that --json prints."""
        ended = self.run("--json", *arguments, given=given)
        assert ended.returncode == exit_status, (ended.stdout, ended.stderr)
        shown: dict[str, Any] | None = json.loads(ended.stdout)
        assert isinstance(shown, dict)
        return shown


@pytest.fixture
def command_line(angel: StandIn, tmp_path: Path) -> CommandLine:
    home = tmp_path / "home"
    home.mkdir()
    return CommandLine(home, angel)
