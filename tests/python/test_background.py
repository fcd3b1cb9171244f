"""What is due is done without being asked for, outside Kodi: by one thread of the compiled module
for each data directory, which delays nobody.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from tests.python.programs import (
    await_that,
    command,
    environment,
    is_dead,
    log_in,
    quiet,
    run,
)
from tests.servers.fixture import StandIn

# As a cron job would run it: the README's first lines, and a tenth of a second.
PROGRAM = """
import json, sys, time
began = time.monotonic()
import sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
session = keeper.restore()
if session is not None:
    answer = session.post(
        "https://api.angelstudios.com/graphql", json={"query": "{ me { email } }"})
    print(answer.status_code)
time.sleep(max(0.0, 0.1 - (time.monotonic() - began)))
"""
LOG_OUT = """
import json, sys
import sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
print(keeper.logout(deadline=2).remote)
"""


def threads() -> list[str]:
    """The module's threads of this process that look after a directory."""
    names = []
    for task in Path("/proc/self/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:
            continue
    return [name for name in names if name.startswith("sessionkeeper-u")]


def test_a_script_that_is_run_again_and_again_delivers(
    angel: StandIn, options: dict[str, Any]
) -> None:
    log_in(angel, options)
    assert run(PROGRAM, options) == "200"
    angel.stop()
    assert run(LOG_OUT, options) == "deferred"
    for _ in range(2):
        assert run(PROGRAM, options) == "", "nobody is logged in"
    angel.start()
    angel.clear_journal()
    keeper = quiet(options)
    for _ in range(120):
        assert run(PROGRAM, options) == ""
        if not keeper.outbox():
            break
    assert (keeper.outbox(), keeper.status().state) == ([], "signed_out")
    assert len([line for line in keeper.audit() if line.event == "revoked"]) == 1
    assert is_dead(angel)
    assert len(angel.journal("/logout")) == 1


def test_a_program_that_lives_on_delivers_by_itself(
    angel: StandIn, options: dict[str, Any]
) -> None:
    log_in(angel, options)
    angel.stop()
    keeper = sessionkeeper.open("angel", **options, background=True)
    assert keeper.logout(deadline=1).remote == "deferred"
    angel.start()
    await_that(lambda: is_dead(angel), 60)
    await_that(lambda: not keeper.outbox(), 5)
    assert len(angel.journal("/logout")) == 1


def test_a_renewal_that_is_due_is_made(angel: StandIn, options: dict[str, Any]) -> None:
    angel.settings(jwt_lifetime=4)
    log_in(angel, options)
    angel.settings(jwt_lifetime=86400)
    keeper = sessionkeeper.open("angel", **options, background=True)
    await_that(lambda: angel.sessions()[-1]["renewals"] == 1, 15)
    # The server has counted it before its answer is read and stored.
    await_that(lambda: keeper.status().state == "signed_in", 15)


def test_without_a_vault_nothing_is_done(options: dict[str, Any]) -> None:
    keeper = sessionkeeper.open("angel", **options, background=True)
    time.sleep(0.5)
    assert not Path(options["data_dir"]).exists()
    assert keeper.provider == "angel"


def waiting(angel: StandIn, options: dict[str, Any]) -> None:
    """A logout waits whose server takes its time."""
    log_in(angel, options)
    quiet(options).logout(local_only=True)
    angel.fault("/logout", "delay", delay=4)


def test_no_call_waits_for_it(angel: StandIn, options: dict[str, Any]) -> None:
    waiting(angel, options)
    log_in(angel, options)
    began = time.monotonic()
    keeper = sessionkeeper.open("angel", **options, background=True)
    assert time.monotonic() - began < 0.2
    await_that(lambda: bool(angel.journal("/logout")), 5)
    for call in (keeper.status, keeper.restore, keeper.accounts, keeper.outbox, keeper.details):
        began = time.monotonic()
        call()  # type: ignore[operator]
        assert time.monotonic() - began < 0.3, call
    session = keeper.restore()
    assert session is not None
    began = time.monotonic()
    assert session.get("https://www.angel.com/account").status_code
    assert time.monotonic() - began < 1
    assert not is_dead(angel)


def test_no_process_stays_for_long(angel: StandIn, options: dict[str, Any]) -> None:
    waiting(angel, options)
    angel.fault("/logout", "delay", delay=20)
    began = time.monotonic()
    run(PROGRAM, options)
    assert angel.journal("/logout"), "it was under way"
    assert time.monotonic() - began < 6


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
def test_one_thread_serves_a_directory_for_as_long_as_a_keeper_is_held(
    angel: StandIn, options: dict[str, Any]
) -> None:
    await_that(lambda: not threads(), 10)
    log_in(angel, options)
    assert threads() == [], "nobody asked for it"
    first = sessionkeeper.open("angel", **options, background=True)
    second = sessionkeeper.open("oidc", **_oidc(options), background=True)
    await_that(lambda: len(threads()) == 1, 5)
    del first
    time.sleep(0.3)
    assert len(threads()) == 1
    assert second.status().state == "signed_out"
    del second
    await_that(lambda: not threads(), 5)


def _oidc(options: dict[str, Any]) -> dict[str, Any]:
    parameters = {"issuer": "https://op.oidc-demo.example", "client_id": "x"}
    return {**options, "parameters": parameters}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_begins_anew(angel: StandIn, options: dict[str, Any]) -> None:
    """At any moment of the parent's thread: its locks and connections are not the child's."""
    log_in(angel, options)
    for pause in (0, 0.001, 0.005, 0.02, 0.1):
        keeper = sessionkeeper.open("angel", **options, background=True)
        time.sleep(pause)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                session = keeper.restore()
                assert session is not None
                assert session.get("https://www.angel.com/account").status_code
                status = 0
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(ended) == 0
        assert keeper.status().state == "signed_in"
        del keeper


FORK = """
import json, os, sys, time
import sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
print(keeper.logout(deadline=1).remote, flush=True)
child = os.fork()
if child == 0:
    keeper.restore()
    print("forked", flush=True)
    time.sleep(60)
    os._exit(0)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_child_delivers_what_its_parent_left(angel: StandIn, options: dict[str, Any]) -> None:
    log_in(angel, options)
    angel.stop()
    process = subprocess.Popen(
        command(FORK, options),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "deferred\n"
        assert process.stdout.readline() == "forked\n"
        process.wait(10)
        angel.start()
        await_that(lambda: is_dead(angel), 60)
    finally:
        os.killpg(process.pid, 9)
        process.stdout.close()
