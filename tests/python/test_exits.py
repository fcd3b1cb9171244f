"""The end of a process: it waits a moment for what is on its way, and for nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.python.programs import (
    await_that,
    command,
    environment,
    is_dead,
    log_in,
    quiet,
    run,
)
from tests.python.relay import Relay
from tests.servers.fixture import StandIn

# The README's first lines.
PROGRAM = """
import json, sys, time
import sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
session = keeper.restore()
if session is not None:
    print(session.account)
began = time.monotonic()
import atexit
# The first to be registered is the last to be called; so it goes before the module's own.
atexit._run_exitfuncs()
print(time.monotonic() - began)
"""


def held_up(options: dict[str, Any]) -> float:
    """Runs the program, and says how long its end took."""
    return float(run(PROGRAM, options).splitlines()[-1])


def leave_a_logout(angel: StandIn, options: dict[str, Any]) -> None:
    """It waits, and is due."""
    log_in(angel, options)
    quiet(options).logout(local_only=True)
    assert quiet(options).outbox()[0].attempts == 0


def test_a_program_that_is_quicker_than_a_distant_server_delivers(
    angel: StandIn, options: dict[str, Any]
) -> None:
    leave_a_logout(angel, options)
    with Relay(angel.port, 0.05) as relay:
        distant = {**options, "resolve": relay.resolve(options["resolve"])}
        for _ in range(3):
            held_up(distant)
            if not quiet(options).outbox():
                break
    assert is_dead(angel)
    assert quiet(options).outbox() == []
    assert len(angel.journal("/logout")) == 1


def test_where_nothing_is_on_its_way_nobody_waits(angel: StandIn, options: dict[str, Any]) -> None:
    assert held_up(options) < 1.5, "there is no vault"
    leave_a_logout(angel, options)
    angel.stop()
    for _ in range(6):  # each time it rests for longer
        assert quiet(options).drain().deferred == 1
    angel.start()
    assert held_up(options) < 1.5, "the server rests"
    assert angel.journal("/logout") == []
    log_in(angel, options)
    quiet(options).drain()
    assert held_up(options) < 1.5, "nothing is due"


def test_a_server_that_does_not_answer_is_left_and_rests(
    angel: StandIn, options: dict[str, Any]
) -> None:
    leave_a_logout(angel, options)
    angel.fault("/logout", "delay", delay=20)
    before = time.time()
    assert 1.5 < held_up(options) < 4
    (entry,) = quiet(options).outbox()
    assert entry.attempts == 1, "it is counted before it is sent"
    assert entry.next_attempt_at >= before
    angel.clear_faults()
    assert not quiet(options).drain().entries


def test_ctrl_c_ends_the_wait(angel: StandIn, options: dict[str, Any]) -> None:
    leave_a_logout(angel, options)
    angel.fault("/logout", "delay", delay=20)
    program = PROGRAM.replace("atexit._run", 'print("ends", flush=True); atexit._run')
    process = subprocess.Popen(
        command(program, options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ends\n"
    await_that(lambda: bool(angel.journal("/logout")), 10)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")
    assert float(out) < 1.9


DAEMON = """
import json, os, sys, time
import sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
sys.stdin.readline()
if os.fork():
    os._exit(0)
print("forked", flush=True)
sys.stdin.readline()
try:
    print(len(keeper.drain().entries), flush=True)
except sessionkeeper.Error as error:
    print(repr(error), flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_daemon_does_not_keep_what_its_parent_had_locked(
    angel: StandIn, options: dict[str, Any]
) -> None:
    leave_a_logout(angel, options)
    angel.fault("/logout", "delay", delay=20)
    options["lock_timeout"] = 5
    with subprocess.Popen(
        command(DAEMON, options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        await_that(lambda: bool(angel.journal("/logout")), 10)
        process.stdin.write("fork\n")
        process.stdin.flush()
        assert process.stdout.readline() == "forked\n"
        process.wait(10)
        angel.clear_faults()
        # The child has not touched anything of ours yet.
        assert not quiet(options).drain().entries
        assert is_dead(angel)
        process.stdin.write("drain\n")
        process.stdin.flush()
        assert process.stdout.readline() == "0\n"


FORK_BESIDE_THREADS = """
import json, os, signal, sys, threading
import sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
is_over = False
def work():
    while not is_over:
        keeper.outbox()
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads:
    thread.start()
ended = []
for _ in range(100):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        keeper.outbox()
        os._exit(0)
    ended.append(os.waitpid(child, 0)[1])
is_over = True
for thread in threads:
    thread.join()
print(max(ended))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_no_child_hangs_where_threads_are_at_work(angel: StandIn, options: dict[str, Any]) -> None:
    log_in(angel, options)
    assert run(FORK_BESIDE_THREADS, options) == "0"


FORK_BESIDE_AN_IMPORT = """
import importlib.abc, json, os, signal, sys, threading, time
import sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
begun = threading.Event()
class Slow(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "sessionkeeper.reports":
            begun.set()
            time.sleep(0.3)
thread = threading.Thread(target=keeper.outbox)
sys.meta_path.insert(0, Slow())
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    signal.alarm(20)
    keeper.outbox()
    os._exit(0)
print(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_no_child_hangs_where_a_thread_loads_a_module(
    angel: StandIn, options: dict[str, Any]
) -> None:
    log_in(angel, options)
    assert run(FORK_BESIDE_AN_IMPORT, options) == "0"


MODULES_AFTER_A_FORK = """
import json, os, pathlib, sys
import sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
child = os.fork()
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
files = pathlib.Path(sessionkeeper.__file__).parent.glob("*.py")
names = {"sessionkeeper." + file.stem for file in files}
print(*sorted(names - set(sys.modules)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_leaves_no_module_to_be_loaded(options: dict[str, Any]) -> None:
    """But those that are none of a call's: types, and what a program imports by name."""
    left = {"__init__", "__main__", "_types", "angel"}
    assert set(run(MODULES_AFTER_A_FORK, options).split()) == {
        f"sessionkeeper.{one}" for one in left
    }


FORK_BESIDE_A_WAIT = """
import fcntl, json, os, sys, time
import sessionkeeper
options = json.loads(sys.argv[1])
with open(options["data_dir"] + "/vault.lock") as held:
    fcntl.flock(held, fcntl.LOCK_EX)
    keeper = sessionkeeper.open("angel", **options)
    time.sleep(0.3)
    began = time.monotonic()
    if os.fork() == 0:
        os._exit(0)
    print(time.monotonic() - began, flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_fork_does_not_wait_for_who_waits_for_the_vault(
    angel: StandIn, options: dict[str, Any]
) -> None:
    log_in(angel, options)
    assert float(run(FORK_BESIDE_A_WAIT, options)) < 0.9
