"""The main job through the command line, as processes: the real module, the stand-in's requests."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from tests.python.conftest import CommandLine
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
GRAPHQL = "https://api.angelstudios.com/graphql"


def log_in(command_line: CommandLine) -> None:
    shown = command_line.json("login", "--username", NAME, given=PASSWORD.encode() + b"\n")
    assert shown["state"] == "signed_in"


def test_the_exit_status(angel: StandIn, command_line: CommandLine, tmp_path: Path) -> None:
    wrong = command_line.json("login", "--username", NAME, given=b"wrong-canary\n", exit_status=4)
    assert wrong["error"]["code"] == "credentials_refused"
    assert "wrong-canary" not in str(wrong)
    assert command_line.json("request", "GET", GRAPHQL, exit_status=3)["error"]
    unknown = command_line.json("--provider", "nowhere", "status", exit_status=2)
    assert unknown["error"]["code"] == "unknown_provider"
    file = tmp_path / "mine.toml"
    file.write_text("frobnicate = 1\n", encoding="utf-8")
    invalid = command_line.json("--provider", str(file), "status", exit_status=2)
    assert invalid["error"]["code"] == "invalid_provider"
    angel.settings(listening=False)
    away = command_line.json("login", "--username", NAME, given=b"x\n", exit_status=5)
    assert away["error"]["code"] == "network_error"


def test_ctrl_c_ends_a_login_that_hangs(angel: StandIn, command_line: CommandLine) -> None:
    angel.fault("/u/login", "hang")
    process = subprocess.Popen(
        command_line.command("login", "--username", NAME),
        env={**command_line.environment, "SESSIONKEEPER_PASSWORD": PASSWORD},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 30
    while not angel.journal("/u/login") and time.monotonic() < until:
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert command_line.json("status")["state"] == "signed_out"


def test_providers_and_doctor(command_line: CommandLine) -> None:
    ids = [entry["id"] for entry in command_line.json("providers")["providers"]]
    assert "angel" in ids
    parts = {"key", "vault", "locks", "tls", "clock", "file_system", "versions"}
    assert parts <= set(command_line.json("doctor"))


def test_a_damaged_vault_is_told_once(command_line: CommandLine) -> None:
    log_in(command_line)
    # The device key lies below the home of this test; another one cannot open the vault.
    keys = [path for path in (command_line.home / "share").rglob("*") if path.is_file()]
    assert keys
    for key in keys:
        key.write_bytes(bytes(byte ^ 0xFF for byte in key.read_bytes()))
    first = command_line.run("status")
    assert first.returncode == 0
    assert b"the stored sessions cannot be read" in first.stderr
    assert b"Nobody is logged in" in first.stdout
    second = command_line.run("status")
    assert second.stderr == b""
    assert b"Nobody is logged in" in second.stdout
