"""What the environment of a process may not do: send connections elsewhere, or add trust.

Somebody who can set a variable for Kodi, or for a script, has not thereby become the service. Only
the options of `open` and of the command line say where to connect and whom to trust.
"""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    """Its host is under `.example`, so nobody but it can be reached by that name."""
    return stand_in("idempotent").reset()


def redirection(server: StandIn) -> dict[str, str]:
    return {
        "SESSIONKEEPER_RESOLVE": ",".join(server.resolve),
        "SESSIONKEEPER_CA_FILE": server.ca_file,
        "SSL_CERT_FILE": server.ca_file,
    }


@pytest.mark.parametrize("missing", ["resolve", "ca_file"])
def test_a_variable_neither_redirects_nor_adds_trust(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str
) -> None:
    for name, value in redirection(server).items():
        monkeypatch.setenv(name, value)
    options = server.options()
    del options[missing]
    keeper = sessionkeeper.open(
        "idempotent",
        parameters=server.parameters,
        data_dir=tmp_path / "data",
        key_dir=tmp_path / "keys",
        **options,
    )
    with pytest.raises(sessionkeeper.NetworkError):
        keeper.login(*server.VIEWER)
    assert server.journal() == []


def test_nor_does_it_for_the_command_line(server: StandIn, tmp_path: Path) -> None:
    line = CommandLine(tmp_path, server)
    line.environment.update(redirection(server))
    line.arguments += [
        "--provider",
        "idempotent",
        "--parameter",
        f"base={server.parameters['base']}",
    ]
    login = ("login", "--username", server.VIEWER[0])
    password = f"{server.VIEWER[1]}\n".encode()
    for own in server.arguments():
        line.arguments.remove(own)
    line.json(*login, given=password, exit_status=5)
    assert server.journal() == []
    line.arguments += server.arguments()
    assert line.json(*login, given=password)["state"] == "signed_in"
