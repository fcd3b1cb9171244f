"""Where data and key lie by default, what a copy of the data is worth, and what `doctor` and the
log say of a place that is not as it should be. Through the command line, in a home of its own.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import sessionkeeper
from tests.canaries import forms
from tests.python.conftest import CommandLine
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER


class Home:
    """A home directory, and the command line of its owner; the system's own places are used."""

    def __init__(self, home: Path, server: StandIn) -> None:
        home.mkdir()
        self.path = home
        self.line = CommandLine(home, server)
        for name in [name for name in self.line.environment if name.startswith("XDG_")]:
            del self.line.environment[name]
        self.line.arguments = server.arguments()
        found = self.line.json("doctor")
        self.data, self.key = Path(found["vault"]["place"]), Path(found["key"]["place"])

    def log_in(self) -> None:
        self.line.json("login", "--username", NAME, given=f"{PASSWORD}\n".encode())


@pytest.fixture
def home(angel: StandIn, tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", angel)
    home.log_in()
    return home


def test_a_copy_of_the_data_directory_is_worth_nothing(
    home: Home, angel: StandIn, tmp_path: Path
) -> None:
    assert home.path in home.data.parents
    assert home.path in home.key.parents
    assert home.data not in home.key.parents
    assert home.line.json("doctor")["key"]["is_beside_the_vault"] is False
    key = home.key.read_bytes()
    thief = Home(tmp_path / "thief", angel)
    shutil.rmtree(thief.data)
    shutil.copytree(home.data, thief.data)
    for file in thief.data.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not [form for form in forms(key) if form in content], file
    assert thief.line.json("status")["state"] == "signed_out"
    assert home.line.json("status")["state"] == "signed_in"


def test_a_key_inside_the_data_directory_is_not_denied(home: Home) -> None:
    """As with a data directory that holds everything of the user's."""
    shown = home.line.json("--data-dir", str(home.key.parents[1]), "doctor")
    assert shown["key"]["is_beside_the_vault"] is True
    log = home.line.run("--data-dir", str(home.key.parents[1]), "--verbose", "status").stderr
    assert b"the device key is in the data directory, a copy of which opens" in log


def test_a_relative_home_is_refused(home: Home, tmp_path: Path) -> None:
    home.line.environment["HOME"] = "somewhere"
    before = sorted(Path.cwd().iterdir())
    for options in ([], ["--data-dir", str(tmp_path / "data")]):
        error = home.line.json(*options, "status", exit_status=1)["error"]
        assert error["code"] == "storage_error"
        assert "not an absolute path" in error["message"]
        assert "HOME" in error["hint"]
    assert sorted(Path.cwd().iterdir()) == before
    assert not (tmp_path / "data").exists()


def test_a_key_that_others_can_read_is_named(home: Home) -> None:
    assert home.key.stat().st_mode & 0o777 == 0o600
    assert home.line.json("doctor")["key"]["is_readable_by_others"] is False
    home.key.chmod(0o644)
    assert home.line.json("doctor")["key"]["is_readable_by_others"] is True
    log = home.line.run("--verbose", "status").stderr
    assert f"others can read the device key, give it the mode 0600: {home.key}".encode() in log


def test_an_old_copy_that_is_put_back_is_told_once(home: Home, angel: StandIn) -> None:
    vault = home.data / "vault.db"
    old = vault.read_bytes()
    assert home.line.json("logout")["remote"] == "revoked"
    vault.write_bytes(old)
    told = [home.line.run("status").stderr.decode() for _ in range(2)]
    assert told[0].startswith("sessionkeeper: an older copy of the stored sessions was put back.")
    assert told[1] == ""
    shown = home.line.json("doctor")["vault"]
    assert isinstance(shown["rolled_back_at"], int)
    assert shown["is_sound"]
    (line,) = [
        event
        for event in home.line.json("audit")["events"]
        if (event["event"], event["outcome"]) == ("vault_damaged", "rolled_back")
    ]
    assert "logouts that waited since then are lost" in line["detail"]
    # The server decides about the session: it was ended there.
    assert home.line.json("logout")["remote"] in ("revoked", "already_ended")
    assert not any(session["alive"] for session in angel.sessions())


def test_a_read_only_mount_is_named(home: Home) -> None:
    assert home.line.json("doctor")["file_system"]["is_writable"] is True
    script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'

    def mounted(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = ["unshare", "--mount", "--map-root-user", "sh", "-c", script, str(home.data)]
        return subprocess.run(
            command + home.line.command(*arguments),
            env=home.line.environment,
            capture_output=True,
            timeout=60,
            check=False,
        )

    if mounted("--version").returncode:
        pytest.skip("mounting needs rights that this machine does not give")
    status = mounted("--verbose", "status")
    assert status.returncode == 0, status.stderr
    assert b"logged in" in status.stdout.lower()
    assert b"the data directory cannot be written, nothing is stored" in status.stderr
    doctor = mounted("doctor")
    assert doctor.returncode == 0, doctor.stderr
    assert b"is writable: no" in doctor.stdout


def test_the_facts_have_types(home: Home) -> None:
    keeper = sessionkeeper.open(data_dir=home.data, key_dir=home.key.parent)
    found = keeper.doctor()
    assert found.key.place == str(home.key)
    assert found.vault.rolled_back_at is None
