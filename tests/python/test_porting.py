"""docs/porting.md is true: each program of before logs in and leaves its session, and the one of
after takes it over, in its place and with its names.
"""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
import requests

import sessionkeeper
from tests.kodi.shim import forget
from tests.python.provider_keys import ROOT
from tests.python.test_adopt import Settings, alive
from tests.servers.fixture import StandIn

GUIDE = (ROOT / "docs" / "porting.md").read_text("utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
SIZES = [
    (int(before), int(after))
    for before, after in re.findall(r"^\| \[.*?\) \| (\d+) \| (\d+) \|", GUIDE, re.MULTILINE)
]


def size(program: str) -> int:
    return sum(bool(line.strip()) for line in program.splitlines())


def test_the_sizes_are_those_of_the_programs() -> None:
    sizes = [size(program) for program in PROGRAMS[:6]]
    assert list(zip(sizes[::2], sizes[1::2])) == SIZES
    assert len(PROGRAMS) == 7


@pytest.fixture
def server(stand_in: Callable[[str], StandIn], request: Any) -> StandIn:
    return stand_in(request.param).reset()


class AddOn:
    """An add-on with its data directory, before or after the update."""

    def __init__(self, directory: Path, **names: Any) -> None:
        self._names = names
        self.file = directory / "session"

    def run(self, program: str) -> Any:
        """A fresh start with this program; gives what it defines."""
        module = types.ModuleType("add_on")
        module.__dict__.update(self._names, FILE=str(self.file))
        exec(compile(program, "docs/porting.md", "exec"), module.__dict__)
        return module


@pytest.fixture
def add_on(
    server: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., AddOn]]:
    """Whose requests, in either way, arrive at the stand-in."""
    import socket

    places: dict[Any, tuple[str, str]] = {}
    for one in server.resolve:
        host, port, address = one.split(":")
        places[host] = (address, port)
    look_up: Any = socket.getaddrinfo

    def look_up_here(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        return look_up(*places.get(host, (host, port)), *rest, **named)

    opened: list[requests.Session] = []

    class Session(requests.Session):
        def __init__(self) -> None:
            super().__init__()
            opened.append(self)

    def open_here(provider: str, **options: Any) -> sessionkeeper.Keeper:
        places = {"data_dir": tmp_path / "data", "key_dir": tmp_path / "keys"}
        return open_it(provider, **places, **server.options(), **options)

    open_it = sessionkeeper.open
    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)
    monkeypatch.setattr(requests, "Session", Session)
    monkeypatch.setattr(sessionkeeper, "open", open_here)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.ca_file)
    monkeypatch.setenv("NO_PROXY", "*")
    name, password = server.VIEWER
    yield lambda **more: AddOn(tmp_path, NAME=name, PASSWORD=password, **more)
    for session in opened:
        session.close()


@pytest.mark.parametrize("server", ["angel"], indirect=True)
def test_from_requests_and_a_cookie_file(server: StandIn, add_on: Callable[..., AddOn]) -> None:
    before, after = PROGRAMS[0:2]
    ours, query = add_on(), "{ me { email } }"
    expected = {"data": {"me": {"email": server.VIEWER[0]}}}
    for _ in range(2):
        assert ours.run(before).ask(query) == expected
    (session,) = alive(server)
    server.clear_journal()
    for _ in range(2):
        assert ours.run(after).ask(query) == expected
    assert (alive(server), server.journal("/u/login")) == ([session], [])
    assert not ours.file.exists()
    assert ours.run(after).log_out() == "revoked"
    assert alive(server) == []
    assert ours.run(after).ask(query) == expected
    # What it was like.
    assert ours.run(before).ask(query) == expected
    ours.run(before).log_out()
    assert len(alive(server)) == 2


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Settings]:
    """Those of the add-on, in a Kodi whose profile is the test's directory."""
    settings = Settings(quality="auto")
    xbmcaddon: Any = types.ModuleType("xbmcaddon")
    xbmcaddon.Addon = settings.Addon
    xbmcvfs: Any = types.ModuleType("xbmcvfs")
    xbmcvfs.translatePath = lambda path: str(tmp_path / path.replace("special://", ""))
    for module in (types.ModuleType("xbmc"), xbmcaddon, xbmcvfs):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    forget()
    yield settings
    forget()


@pytest.mark.parametrize("server", ["jwt-audit"], indirect=True)
def test_from_a_token_in_the_settings(
    server: StandIn, add_on: Callable[..., AddOn], settings: Settings
) -> None:
    before, after = PROGRAMS[2:4]
    ours = add_on(BASE=server.parameters["base"])
    for _ in range(2):
        assert ours.run(before).ask("/auth/me")["email"] == server.VIEWER[0]
    assert settings.values["jwt_token"]
    server.clear_journal()
    for _ in range(2):
        assert ours.run(after).ask("/auth/me")["email"] == server.VIEWER[0]
    assert settings.values == {"quality": "auto", "jwt_token": ""}
    assert server.journal("/auth/login") == []
    assert ours.run(after).log_out() in {"revoked", "unconfirmed", "alive"}
    assert len(server.journal("/auth/logout")) == 1


@pytest.mark.parametrize("server", ["workos"], indirect=True)
def test_from_a_device_code(server: StandIn, add_on: Callable[..., AddOn]) -> None:
    before, after = PROGRAMS[4:6]
    shown: list[str] = []

    def show(code: str, address: str) -> None:
        assert address.startswith("https://")
        shown.append(code)
        server.approve(code)

    ours = add_on(CLIENT_ID=server.parameters["client_id"], show=show)
    for _ in range(2):
        assert ours.run(before).token().count(".") == 2
    (session,) = alive(server)
    for _ in range(2):
        assert ours.run(after).token().count(".") == 2
    assert (alive(server), len(shown), ours.file.exists()) == ([session], 1, False)
    assert ours.run(after).log_out() == "revoked"
    assert alive(server) == []
    assert ours.run(after).token()
    assert (len(shown), len(alive(server))) == (2, 1)
