"""What others on the machine can see of the command line at work: its files while it writes them,
its line in the process table, the processes it starts. No canary is among it.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.canaries import Search
from tests.python.conftest import CommandLine
from tests.python.planting import NAME, PASSWORD, plant_in
from tests.servers.fixture import StandIn


def test_no_secret_is_in_a_file_while_it_is_written(
    angel: StandIn, command_line: CommandLine
) -> None:
    plant, credentials = plant_in(command_line, angel)
    with Onlooker(command_line.home / "data") as onlooker:
        for _ in range(3):
            assert (
                command_line.run(
                    "login", "--username", NAME, given=f"{PASSWORD}\n".encode()
                ).returncode
                == 0
            )
            credentials()
            angel.fault("/logout", "status:503", times=1)
            assert command_line.json("logout")["remote"] == "deferred"
            assert command_line.json("outbox", "--drain")["revoked"] == 1
    journals = [text for name, text in onlooker.seen if name == "vault.db-journal"]
    assert any(journals), "the onlooker was too slow for this test to mean anything"
    found: dict[str, str | bytes] = {
        f"{name}, version {n}": text for n, (name, text) in enumerate(onlooker.seen)
    }
    assert plant.leaks(found) == []


@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="looks into /proc")
@pytest.mark.parametrize("by_environment", [False, True], ids=["stdin", "environment"])
def test_the_process_table_shows_no_password(
    angel: StandIn, command_line: CommandLine, by_environment: bool
) -> None:
    plant, _ = plant_in(command_line, angel)
    angel.fault("/u/login", "hang")
    environment = dict(command_line.environment)
    if by_environment:
        environment["SESSIONKEEPER_PASSWORD"] = PASSWORD
    process = subprocess.Popen(
        command_line.command("login", "--username", NAME),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        if not by_environment:
            process.stdin.write(f"{PASSWORD}\n".encode())
        process.stdin.close()
        process.stdin = None
        until = time.monotonic() + 30
        while not angel.journal("/u/login") and time.monotonic() < until:
            time.sleep(0.05)
        assert angel.journal("/u/login"), "the password is on its way"
        place = Path(f"/proc/{process.pid}")
        seen = {"cmdline": (place / "cmdline").read_bytes()}
        for thread in (place / "task").iterdir():
            seen[f"the name of thread {thread.name}"] = (thread / "comm").read_bytes()
        given = (place / "environ").read_bytes()
        if by_environment:
            # Who starts it so has chosen this, and only he and root can read it. Nobody else is
            # given it: there are no children.
            assert PASSWORD.encode() in given
        else:
            seen["the environment"] = given
        assert b"login" in seen["cmdline"]
        assert children(process.pid) == []
    finally:
        process.terminate()
        out, err = process.communicate(timeout=30)
    assert Search(plant.secrets).content("output", out + err) == []
    for where, text in seen.items():
        assert Search(plant.secrets).content(where, text) == []


def test_a_login_starts_no_process(angel: StandIn, command_line: CommandLine) -> None:
    plant_in(command_line, angel)
    starts = ("subprocess.Popen", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system")
    watch = (
        f"import sys; starts = {starts!r}\n"
        "def hook(event, arguments):\n"
        "    if event in starts: print('STARTED', event, file=sys.stderr, flush=True)\n"
        "sys.addaudithook(hook)\n"
    )
    login = "from sessionkeeper import cli; sys.exit(cli.main(['--verbose', *sys.argv[1:]]))"
    for code, is_seen in ((login, False), ("import os; os.system('true')", True)):
        command = command_line.command("login", "--username", NAME)
        command[1:3] = ["-c", watch + code]
        ended = subprocess.run(
            command,
            env={**command_line.environment, "SESSIONKEEPER_PASSWORD": PASSWORD},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert (b"STARTED" in ended.stderr) == is_seen


class Onlooker:
    """Keeps each version of each file of a directory that it gets to see while others write.

    Never in the process that writes: closing any descriptor of a database ends its POSIX locks.
    """

    def __init__(self, directory: Path) -> None:
        self.seen: list[tuple[str, bytes]] = []
        self._directory = directory
        self._known: set[tuple[object, ...]] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Onlooker:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.is_set():
            for path in list(self._directory.glob("*")):
                try:
                    found = path.stat()
                    version = (path.name, found.st_ino, found.st_mtime_ns, found.st_size)
                    if version not in self._known:
                        self._known.add(version)
                        self.seen.append((path.name, path.read_bytes()))
                except FileNotFoundError:
                    continue
            time.sleep(0.0005)


def children(pid: int) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            status = (place / "status").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if f"\nPPid:\t{pid}\n" in status:
            found.append(int(place.name))
    return found
