"""Provider files of the user's own, found by their ids; and what becomes of who is logged in when
such a file is taken away. Through the command line, as processes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from tests.python.conftest import CommandLine
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("idempotent").reset()


@pytest.fixture
def line(server: StandIn, tmp_path: Path) -> CommandLine:
    home = tmp_path / "home"
    home.mkdir()
    line = CommandLine(home, server)
    line.environment.pop("XDG_CONFIG_HOME", None)
    return line


@pytest.fixture
def using(server: StandIn) -> str:
    """A file that uses a built-in service at this server."""
    base = server.parameters["base"]
    return f'use = "idempotent"\nid = "shop"\nname = "Shop"\n[parameters]\nbase = "{base}"\n'


def put(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / name).write_text(text, encoding="utf-8")
    return directory / name


@pytest.mark.parametrize("variable", ["", "XDG_CONFIG_HOME", "SESSIONKEEPER_PROVIDERS"])
def test_a_file_is_found_where_the_user_has_put_it(
    line: CommandLine, using: str, variable: str
) -> None:
    place = line.home / ".config" / "sessionkeeper" / "providers"
    if variable:
        place = line.home / "elsewhere"
        line.environment[variable] = str(place)
        place = place / "sessionkeeper" / "providers" if "XDG" in variable else place
    assert not line.json("providers")["unused"]
    file, broken = put(place, "shop.toml", using), put(place, "mine.toml", "id = 7\n")
    put(place, "angel.toml", 'id = "angel"\n')
    shown = line.json("providers")
    ids = {entry["id"]: entry for entry in shown["providers"]}
    assert (ids["shop"]["file"], ids["shop"]["addon"]) == (str(file), "")
    assert ids["angel"]["file"] == "", "the built-in one is not hidden by a broken file"
    assert {Path(one["file"]).name for one in shown["unused"]} == {"angel.toml", "mine.toml"}
    assert {one["line"] for one in shown["unused"]} == {1}
    assert f"Not used: {broken}:1: id: invalid type" in line.run("providers").stdout.decode()
    assert line.json("--provider", "shop", "status")["provider"] == "shop"
    mine = line.json("--provider", "mine", "status", exit_status=2)["error"]
    assert mine["code"] == "invalid_provider"
    assert str(broken) in mine["message"]
    nobody = line.json("--provider", "nobody", "status", exit_status=2)["error"]
    assert "angel" in nobody["hint"]
    assert "shop" in nobody["hint"]


def test_who_is_logged_in_stays_so_without_the_file(
    line: CommandLine, using: str, server: StandIn
) -> None:
    file = put(line.home / ".config/sessionkeeper/providers", "shop.toml", using)
    line.arguments += ["--provider", "shop"]
    line.json("login", "--username", NAME, given=f"{PASSWORD}\n".encode())
    file.unlink()
    assert line.json("restore")["account"]["email"] == NAME
    me = f"{server.parameters['base']}/api/auth/me"
    assert line.json("request", "GET", me)["status"] == 200
    assert line.json("logout")["remote"] == "revoked"
    assert not [session for session in server.sessions() if session["alive"]]
    gone = line.json("status", exit_status=2)["error"]
    assert gone["code"] == "unknown_provider"


def test_a_file_that_uses_another_is_checked_with_it(
    line: CommandLine, using: str, tmp_path: Path
) -> None:
    file = put(tmp_path, "shop.toml", using)
    shown = line.json("providers", "check", str(file))
    assert (shown["id"], shown["name"], shown["problems"]) == ("shop", "Shop", [])
    assert line.json("--provider", str(file), "status")["state"] == "signed_out"
    put(tmp_path, "shop.toml", using.replace("base =", "bass ="))
    (problem,) = line.json("providers", "check", str(file), exit_status=2)["problems"]
    assert (problem["key"], problem["line"]) == ("parameters.bass", 5)
