"""A function that gets the audit trail: every line, in order, and no logout waits for it."""

from __future__ import annotations

import functools
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from sessionkeeper import AuditEvent, cli, sinks
from tests.python.native_double import LINE, REPORT, SIGNED_OUT, Hanging, NativeDouble, error
from tests.servers.fixture import StandIn

SECRET = "sink-canary"
DRAINED = dict.fromkeys(
    ("revoked", "already_ended", "deferred", "unconfirmed", "alive", "rejected", "expired"), 0
)


class Collecting:
    """A sink that can be told to fail or to hang. Its name is that of its class."""

    def __init__(self) -> None:
        self.lines: list[AuditEvent] = []
        self.batches: list[int] = []
        self.error: Exception | None = None
        self.goes_on = threading.Event()
        self.goes_on.set()

    def __call__(self, events: list[AuditEvent]) -> None:
        self.goes_on.wait(10)
        if self.error:
            raise self.error
        self.batches.append(len(events))
        self.lines += events


NAME = f"{__name__}.Collecting"


@pytest.fixture
def core(native: NativeDouble) -> NativeDouble:
    """A core whose trail gets a line with each logout."""

    def log_out(_: dict[str, Any]) -> dict[str, Any]:
        native.trail.append({**LINE, "seq": len(native.trail) + 1})
        return {"value": REPORT}

    native.answers["logout"] = log_out
    native.answer("restore", SIGNED_OUT)
    native.answer("drain", {"entries": [], **DRAINED})
    return native


@pytest.fixture
def sink() -> Collecting:
    return Collecting()


def numbers(sink: Collecting) -> list[int]:
    return [line.seq for line in sink.lines]


def test_each_line_comes_once(core: NativeDouble, sink: Collecting) -> None:
    keeper = sessionkeeper.open(audit_sink=sink)
    assert keeper.logout().audit_warning == ""
    assert sink.lines == [AuditEvent.from_dict(LINE)]  # type: ignore[arg-type]
    keeper.logout()
    keeper.restore()
    keeper.drain()
    assert numbers(sink) == [1, 2]
    assert core.taken == {NAME: 2}


@pytest.mark.parametrize("again", ["logout", "restore", "drain"])
def test_a_sink_that_fails_is_named_and_catches_up(
    core: NativeDouble, sink: Collecting, again: str
) -> None:
    keeper = sessionkeeper.open(audit_sink=sink)
    sink.error = ValueError(SECRET)
    report = keeper.logout()
    assert report.remote == "revoked"
    assert report.audit_warning.startswith(f"{NAME}: ValueError (test_audit_sinks.py, line ")
    assert SECRET not in report.audit_warning
    assert core.taken == {}
    sink.error = None
    getattr(keeper, again)()
    assert numbers(sink) == list(range(1, len(core.trail) + 1))


def test_a_slow_sink_holds_up_no_logout_and_alarms_nobody(
    core: NativeDouble, sink: Collecting
) -> None:
    keeper = sessionkeeper.open(audit_sink=sink)
    sink.goes_on.clear()
    began = time.monotonic()
    assert keeper.logout().audit_warning == ""
    assert 0.9 < time.monotonic() - began < 1.5
    # Nothing is handed over twice, and nobody waits for it again.
    began = time.monotonic()
    assert keeper.logout().audit_warning == ""
    assert time.monotonic() - began < 0.5
    assert core.refused == []
    sink.goes_on.set()
    until = time.monotonic() + 5
    while numbers(sink) != [1] and time.monotonic() < until:
        time.sleep(0.01)
    while core.taken != {NAME: 1} and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    assert keeper.logout().audit_warning == ""
    assert numbers(sink) == [1, 2, 3]
    assert core.refused == []


def test_a_sink_that_is_stuck_has_failed(
    core: NativeDouble, sink: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "LONGEST_WAIT", 0.01)
    keeper = sessionkeeper.open(audit_sink=sink)
    sink.goes_on.clear()
    assert keeper.logout().audit_warning == ""
    monkeypatch.setattr(sinks, "STUCK", 0.0)
    stuck = f"{NAME}: has been at the same lines for more than a minute"
    assert keeper.logout().audit_warning == stuck
    assert core.refused == [stuck]
    sink.goes_on.set()


def test_a_slow_sink_that_fails_is_in_the_trail(
    core: NativeDouble, sink: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sinks, "LONGEST_WAIT", 0.01)
    keeper = sessionkeeper.open(audit_sink=sink)
    sink.goes_on.clear()
    sink.error = OSError()
    assert keeper.logout().audit_warning == ""
    sink.goes_on.set()
    until = time.monotonic() + 5
    while not core.refused and time.monotonic() < until:
        time.sleep(0.01)
    assert core.refused[0].startswith(f"{NAME}: OSError")


def test_a_stop_while_the_lines_are_read_is_no_failure(
    core: NativeDouble, sink: Collecting
) -> None:
    core.trail = [LINE]
    keeper = sessionkeeper.open(audit_sink=sink)
    core.answer("audit_since", Hanging(error("cancelled", "the operation was cancelled")))
    asked = []

    def stop() -> bool:
        asked.append(1)
        return "audit_since" in [verb for verb, _ in core.started]

    assert keeper.logout(stop=stop).audit_warning == ""
    assert asked
    assert core.refused == []


def test_its_thread_does_not_keep_the_process(core: NativeDouble, sink: Collecting) -> None:
    threads = []

    def look(_: list[AuditEvent]) -> None:
        threads.append(threading.current_thread())

    sessionkeeper.open(audit_sink=look).logout()
    assert threads[0].daemon
    assert threads[0] is not threading.current_thread()


def test_a_long_trail_comes_in_batches(core: NativeDouble, sink: Collecting) -> None:
    core.trail = [{**LINE, "seq": seq} for seq in range(1, 250)]
    sessionkeeper.open(audit_sink=sink).restore()
    assert sink.batches == [100, 100, 49]
    assert numbers(sink) == list(range(1, 250))


def test_a_stop_in_the_middle_repeats_nothing_that_was_taken(
    core: NativeDouble, sink: Collecting
) -> None:
    core.trail = [{**LINE, "seq": seq} for seq in range(1, 151)]

    def fails_second(events: list[AuditEvent]) -> None:
        if events[0].seq > 1:
            raise OSError
        sink(events)

    keeper = sessionkeeper.open(audit_sink=fails_second)
    keeper.restore()
    assert list(core.taken.values()) == [100]


@pytest.mark.parametrize("verb", ["audit_since", "audit_taken"])
def test_a_disk_that_fails_is_no_failure_of_the_logout(
    core: NativeDouble, sink: Collecting, verb: str
) -> None:
    core.answer(verb, error("storage_error", "the disk is full"))
    report = sessionkeeper.open(audit_sink=sink).logout()
    assert report.remote == "revoked"
    assert report.audit_warning == f"{NAME}: the disk is full"
    assert len(core.refused) == (verb == "audit_taken")


def test_a_stopped_logout_does_not_wait_for_it(core: NativeDouble, sink: Collecting) -> None:
    core.trail = [LINE]
    core.answer("logout", Hanging({"value": {**REPORT, "remote": "deferred"}}))
    keeper = sessionkeeper.open(audit_sink=sink)
    assert keeper.logout(stop=lambda: True).audit_warning == ""
    assert sink.lines == []
    keeper.restore()
    assert numbers(sink) == [1]


def test_the_warning_of_the_service_stays(core: NativeDouble, sink: Collecting) -> None:
    core.trail = [LINE]
    core.answer("logout", {**REPORT, "audit_warning": "the service kept no line"})
    sink.error = OSError()
    warning = sessionkeeper.open(audit_sink=sink).logout().audit_warning
    assert warning.startswith(f"the service kept no line; {NAME}: OSError")


def test_the_lines_of_hooks_are_among_them(core: NativeDouble, sink: Collecting) -> None:
    def hook(_: object) -> None:
        core.trail.append({**LINE, "seq": 2, "event": "task_done"})

    core.tasks = [{"id": 1, "kind": "hook", "name": "hook", "provider": "angel", "account": "1"}]
    sessionkeeper.open(audit_sink=sink, after_logout={"hook": hook}).logout()
    assert [line.event for line in sink.lines] == ["logout", "task_done"]


@pytest.mark.parametrize("given", [3, "https://audit.example.com", ["https://a"]])
def test_what_is_no_sink_is_refused(native: NativeDouble, given: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="not a function"):
        sessionkeeper.open(audit_sink=given)
    assert native.opened == []


def test_a_sink_is_called_the_same_in_every_process(sink: Collecting) -> None:
    assert sinks._name(sink) == NAME
    assert sinks._name(sink.__call__) == f"{NAME}.__call__"
    assert sinks._name(print) == "builtins.print"
    assert sinks._name(functools.partial(sink)) == "functools.partial"


def test_the_command_line_names_it(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    native.answer("logout", {**REPORT, "audit_warning": "audit.example.com: no answer\nin time"})
    assert cli.main(["logout"]) == 0
    assert "Audit trail: audit.example.com: no answer?in time.\n" in capsys.readouterr().out
    assert cli.main(["--json", "logout"]) == 0
    assert '"audit_warning": "audit.example.com: no' in capsys.readouterr().out


# The real module


def test_the_module_gives_every_line_once(
    angel: StandIn,
    open_keeper: Callable[..., sessionkeeper.Keeper],
    sink: Collecting,
    tmp_path: Path,
) -> None:
    keeper = open_keeper(audit_sink=sink)
    keeper.login(*angel.VIEWER)
    sink.error = OSError()
    assert NAME in keeper.logout().audit_warning
    sink.error = None
    keeper.restore()
    assert sink.lines == keeper.audit()
    assert [line.event for line in sink.lines].count("logout") == 1
    keeper.login(*angel.VIEWER)
    assert open_keeper(audit_sink=sink).logout().audit_warning == ""
    assert sink.lines == keeper.audit()


def test_each_failure_is_in_the_trail_once_until_the_sink_works_again(
    angel: StandIn, open_keeper: Callable[..., sessionkeeper.Keeper], sink: Collecting
) -> None:
    def failures() -> int:
        return [line.event for line in keeper.audit()].count("audit_sink_failed")

    keeper = open_keeper(audit_sink=sink)
    for times in (1, 2):
        sink.error = OSError()
        for _ in range(2):
            keeper.login(*angel.VIEWER)
            assert NAME in keeper.logout().audit_warning
        assert failures() == times
        sink.error = None
        keeper.restore()
        assert sink.lines == keeper.audit()
