"""Each provider by the real module, against its stand-in, in directories of many scripts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import ALL, OpenKeeper, Service, base
from tests.servers.fixture import StandIn


@pytest.fixture(scope="module", params=ALL, ids=lambda one: one.id)
def service(request: pytest.FixtureRequest) -> Service:
    """All of them; a module about one or some overrides it."""
    found: Service = request.param
    return found


@pytest.fixture
def server(stand_in: Callable[[str], StandIn], service: Service) -> StandIn:
    """Of the module's `service`: nobody is logged in, nothing is wrong, a logout can be proved."""
    server = stand_in(service.id).reset()
    server.settings(**service.settings)
    return server


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
            **server.options(),
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
    line = CommandLine(home, server)
    line.arguments += ["--provider", service.id, "--parameter", f"base={base(server)}"]
    return line
