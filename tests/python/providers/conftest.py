"""Each provider by the real module, against its stand-in, in directories of many scripts."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import OpenKeeper, Service, base
from tests.servers.fixture import StandIn


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[Callable[[str], StandIn]]:
    """The stand-in of that name, started once for all tests."""
    started: dict[str, StandIn] = {}
    with contextlib.ExitStack() as stack:

        def start(name: str) -> StandIn:
            if name not in started:
                started[name] = stack.enter_context(StandIn(name))
            return started[name]

        yield start


@pytest.fixture(scope="module")
def running(stand_ins: Callable[[str], StandIn], service: Service) -> Iterator[StandIn]:
    """The stand-in of the module's `service`."""
    server = stand_ins(service.id)
    yield server
    assert "Traceback" not in server._log.read_text("utf-8")


@pytest.fixture
def server(running: StandIn, service: Service) -> StandIn:
    """Nobody is signed in, nothing is wrong, and a logout can be proved."""
    running.start()
    running.reset()
    running.settings(**service.settings)
    return running


@pytest.fixture
def open_keeper(server: StandIn, service: Service, tmp_path: Path) -> OpenKeeper:
    """Opens a keeper for the stand-in; `device` is a data directory of its own."""

    def open_it(
        provider: Any = None, device: str = "пристрій-設備", **options: Any
    ) -> sessionkeeper.Keeper:
        usual = {
            "parameters": {"base": base(server)},
            "data_dir": tmp_path / "Zoë 例え" / device,
            "key_dir": tmp_path / "Zoë 例え" / f"{device} ключі",
            "ca_file": server.ca_file,
            "resolve": server.resolve,
            "proxy": "none",
        }
        return sessionkeeper.open(provider or service.id, **{**usual, **options})

    return open_it


@pytest.fixture
def keeper(open_keeper: OpenKeeper) -> sessionkeeper.Keeper:
    return open_keeper()


@pytest.fixture
def command_line(server: StandIn, service: Service, tmp_path: Path) -> CommandLine:
    home = tmp_path / "дім 家"
    home.mkdir()
    line = CommandLine(home, server.environment())
    line.arguments += ["--provider", service.id, "--parameter", f"base={base(server)}"]
    return line
