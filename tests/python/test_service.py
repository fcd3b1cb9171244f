"""`sessionkeeper service` as a process: it delivers, is alone, and ends when it is asked to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest

from sessionkeeper.cli import display
from sessionkeeper.reports import UpkeepReport
from tests.python.conftest import CommandLine
from tests.servers.fixture import StandIn

NOTHING = dict.fromkeys(
    ("revoked", "already_ended", "deferred", "unconfirmed", "alive", "rejected", "expired"), 0
)
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(command_line: CommandLine) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def give(*arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command_line.command("--verbose", *arguments, "service"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=command_line.environment,
        )
        started.append(process)
        assert process.stderr is not None
        while b"Looking after" not in process.stderr.readline():
            assert process.poll() is None
        return process

    yield give
    for process in started:
        process.kill()
        process.communicate()


def log_in(command_line: CommandLine, angel: StandIn) -> None:
    name, password = angel.VIEWER
    command_line.run("login", "--username", name, given=password.encode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_delivers_and_ends_when_it_is_asked_to(
    angel: StandIn, command_line: CommandLine, start: Start, number: signal.Signals
) -> None:
    log_in(command_line, angel)
    angel.stop()
    assert command_line.json("logout")["remote"] == "deferred"
    process = start("--json")
    angel.start()
    until = time.monotonic() + 60
    while any(session["alive"] for session in angel.sessions()):
        assert time.monotonic() < until
        time.sleep(0.1)
    while command_line.json("outbox")["entries"]:
        assert time.monotonic() < until
    assert len(angel.journal("/logout")) == 1
    process.send_signal(number)
    out, log = process.communicate(timeout=5)
    assert process.returncode == 0
    assert json.loads(out) == {"renewed": 0, "revoked": 1, "already_ended": 0, "expired": 0}
    words = log.decode()
    assert "Waiting logouts: 1 revoked; 0 logouts wait still." in words
    assert words.endswith("Ended.\n")
    assert "Traceback" not in words


def test_it_ends_at_once_while_a_server_is_silent(
    angel: StandIn, command_line: CommandLine, start: Start
) -> None:
    log_in(command_line, angel)
    command_line.run("logout", "--local-only")
    angel.fault("/logout", "delay", delay=20)
    process = start()
    until = time.monotonic() + 10
    while not angel.journal("/logout"):
        assert time.monotonic() < until
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert time.monotonic() - began < 2


def test_there_is_one_and_it_says_who(command_line: CommandLine, start: Start) -> None:
    process = start()
    second = command_line.run("service")
    assert second.returncode == 1
    assert f"another service looks after this data directory (process {process.pid})" in (
        second.stderr.decode()
    )
    assert command_line.json("service", exit_status=1)["error"]["code"] == "storage_error"
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    start()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_it_goes_on_where_nobody_reads(
    angel: StandIn, command_line: CommandLine, start: Start, stream: str
) -> None:
    """The reader of the one has gone, or the other was closed from the beginning."""
    log_in(command_line, angel)
    angel.stop()
    assert command_line.json("logout")["remote"] == "deferred"
    if stream == "stderr":
        process = start()
        assert process.stderr is not None
        process.stderr.close()
        process.stderr = None
    else:
        process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" >&-', "sh", *command_line.command("--json", "service")],
            stderr=subprocess.PIPE,
            env=command_line.environment,
        )
    try:
        angel.start()
        until = time.monotonic() + 60
        while command_line.json("outbox")["entries"]:
            assert time.monotonic() < until
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    assert not errors


def test_idle_it_sleeps(start: Start) -> None:
    process = start()
    time.sleep(1)

    def wakes() -> int:
        status = Path(f"/proc/{process.pid}/status").read_text("ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("voluntary"))
        return int(line.split()[1])

    before = wakes()
    time.sleep(3)
    assert wakes() - before < 3


def test_what_was_due_in_words() -> None:
    line = {"provider": "angel", "account": "1\n", "outcome": "ok"}
    drained = {**NOTHING, "entries": [], "revoked": 2}
    report = {"renewals": [line, {**line, "outcome": "timeout"}], "drained": drained}
    shown = display.upkeep(UpkeepReport.from_dict({**report, "next_at": None}))
    assert shown.splitlines() == [
        "1? at angel: renewed.",
        "1? at angel: not renewed (timeout).",
        "Waiting logouts: 2 revoked; 0 logouts wait still.",
    ]
    nothing = {"renewals": [], "drained": {**NOTHING, "entries": []}, "next_at": 1}
    assert display.upkeep(UpkeepReport.from_dict(nothing)) == ""


def test_the_systemd_unit_runs_it() -> None:
    unit = Path(__file__).parents[2] / "examples" / "systemd" / "sessionkeeper.service"
    lines = unit.read_text("utf-8").splitlines()
    (command,) = (line for line in lines if line.startswith("ExecStart="))
    assert command.split()[-1] == "service"
    assert command.split()[0].endswith("/sessionkeeper")
    assert sys.version_info >= (3, 8)
