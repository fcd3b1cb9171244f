"""Functions that run after a logout: once, alone, when the session is gone, and harmless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from sessionkeeper import TaskResult, cli, post_logout
from tests.python.native_double import (
    CODE,
    REPORT,
    SIGNED_IN,
    SIGNED_OUT,
    Hanging,
    NativeDouble,
    error,
)
from tests.servers.fixture import StandIn

SECRET = "hook-canary"


def task(number: int, name: str, kind: str = "hook") -> dict[str, Any]:
    return {"id": number, "kind": kind, "name": name, "provider": "angel", "account": "87735831"}


@pytest.fixture
def core(native: NativeDouble) -> NativeDouble:
    """A core that queues the hooks of a logout as it says it does."""

    def log_out(arguments: dict[str, Any]) -> dict[str, Any]:
        for name in arguments.get("hooks", []):
            native.tasks.append(task(len(native.tasks) + 1, name))
        return {"value": REPORT}

    native.answers["logout"] = log_out
    native.answer("restore", SIGNED_OUT)
    return native


def verbs(native: NativeDouble) -> list[str]:
    return [verb for verb, _ in native.started]


def test_each_runs_once_after_the_session_is_gone(core: NativeDouble) -> None:
    seen: list[Any] = []

    def first(report: sessionkeeper.LogoutReport) -> None:
        seen.append(("first", report.remote, verbs(core)[-2:]))

    keeper = sessionkeeper.open(after_logout={"first": first, "second": seen.append})
    report = keeper.logout()
    assert core.arguments("logout")["hooks"] == ["first", "second"]
    assert seen == [
        ("first", "revoked", ["logout", "take_tasks"]),
        sessionkeeper.LogoutReport.from_dict(REPORT),  # type: ignore[arg-type]
    ]
    assert report.tasks == (TaskResult("first", "done", ""), TaskResult("second", "done", ""))
    assert core.finished == {1: ("done", ""), 2: ("done", "")}
    keeper.restore()
    assert keeper.finish_logout() == []
    assert len(seen) == 2


def test_without_functions_the_core_is_not_asked(core: NativeDouble) -> None:
    keeper = sessionkeeper.open()
    keeper.logout()
    keeper.restore()
    assert verbs(core) == ["logout", "restore"]
    assert core.arguments("logout")["hooks"] == []


def test_a_failure_is_reported_and_stops_nothing(core: NativeDouble) -> None:
    def fails(_: object) -> None:
        raise ValueError(SECRET)

    def fails_safely(_: object) -> None:
        raise sessionkeeper.StorageError("The cache is in use.")

    seen: list[Any] = []
    keeper = sessionkeeper.open(
        after_logout={"a": fails, "b": fails_safely, "c": seen.append},
    )
    report = keeper.logout()
    outcomes = [(result.name, result.outcome) for result in report.tasks]
    assert outcomes == [("a", "failed"), ("b", "failed"), ("c", "done")]
    assert report.tasks[0].detail.startswith("ValueError (test_after_logout.py, line ")
    assert report.tasks[1].detail == "The cache is in use."
    assert SECRET not in repr(report)
    assert SECRET not in repr(core.started)
    assert core.finished[1] == ("failed", report.tasks[0].detail)
    assert len(seen) == 1
    # Failed is not tried again.
    keeper.restore()
    assert len(core.finished) == 3


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_ends_the_script_goes_on_and_the_hook_waits(core: NativeDouble, kind: type) -> None:
    def leaves(_: object) -> None:
        raise kind

    seen: list[Any] = []
    keeper = sessionkeeper.open(after_logout={"leaves": leaves, "next": seen.append})
    with pytest.raises(kind):
        keeper.logout()
    # Neither is lost: the core hands the one that was interrupted out again later.
    assert core.finished == {}
    assert seen == []
    later = sessionkeeper.open(after_logout={"leaves": seen.append, "next": seen.append})
    later.restore()
    assert seen == [post_logout.EARLIER]
    assert core.finished[2] == ("done", "")


@pytest.mark.parametrize("begin", ["restore", "login", "start_device_login", "finish_logout"])
def test_what_an_earlier_process_left_is_done_first(core: NativeDouble, begin: str) -> None:
    core.tasks = [task(3, "empty_cache"), task(4, "empty_cache"), task(5, "unknown here")]
    core.answer("login", SIGNED_IN)
    core.answer("login_start", CODE)
    seen: list[sessionkeeper.LogoutReport] = []
    keeper = sessionkeeper.open(after_logout={"empty_cache": seen.append})
    getattr(keeper, begin)(*(("name", "secret") if begin == "login" else ()))
    assert seen == [post_logout.EARLIER] * 2
    assert seen[0].summary_key == "signed_out_unconfirmed"
    assert not seen[0].confirmed
    assert verbs(core)[:3] == ["take_tasks", "finish_task", "finish_task"]
    assert core.claimed == [3, 4]


def test_only_the_newest_is_told_of_this_logout(core: NativeDouble) -> None:
    core.tasks = [task(0, "empty_cache")]
    seen: list[sessionkeeper.LogoutReport] = []
    keeper = sessionkeeper.open(after_logout={"empty_cache": seen.append})
    keeper.logout()
    assert [report.remote for report in seen] == ["unconfirmed", "revoked"]
    # Nobody was logged in: what is left over is of an earlier logout.
    core.tasks.append(task(9, "empty_cache"))
    core.answer("logout", {**REPORT, "local": "already_signed_out"})
    keeper.logout()
    assert seen[-1] == post_logout.EARLIER


def test_a_stopped_logout_leaves_them_for_later(core: NativeDouble) -> None:
    seen: list[Any] = []
    core.tasks = [task(1, "empty_cache")]
    core.answer("logout", Hanging({"value": {**REPORT, "remote": "deferred"}}))
    keeper = sessionkeeper.open(after_logout={"empty_cache": seen.append})
    report = keeper.logout(stop=lambda: True)
    assert (report.remote, report.tasks, seen) == ("deferred", (), [])
    assert [result.outcome for result in keeper.finish_logout()] == ["done"]
    assert len(seen) == 1


@pytest.mark.parametrize("verb", ["take_tasks", "finish_task"])
def test_a_disk_that_fails_is_no_failure_of_the_logout(core: NativeDouble, verb: str) -> None:
    core.answer(verb, error("storage_error", "the disk is full"))
    seen: list[Any] = []
    report = sessionkeeper.open(after_logout={"empty_cache": seen.append}).logout()
    assert report.remote == "revoked"
    if verb == "take_tasks":
        assert report.tasks == (TaskResult("after_logout", "failed", "the disk is full"),)
        assert seen == []
    else:
        assert report.tasks == (TaskResult("empty_cache", "done", ""),)
        assert len(seen) == 1


def test_what_only_kodi_can_do(core: NativeDouble) -> None:
    core.tasks = [
        task(1, "queue", "window_property"),
        task(2, "Container.Refresh", "builtin"),
        task(3, "token", "window_property"),
        task(4, "empty_cache"),
    ]
    done: list[Any] = []

    def run_builtin(name: str) -> None:
        raise RuntimeError(name)

    keeper = sessionkeeper.open(after_logout={"empty_cache": done.append})
    results = keeper.finish_logout({"window_property": done.append, "builtin": run_builtin})
    assert done == ["queue", "token", post_logout.EARLIER]
    named = [(result.name, result.outcome) for result in results]
    assert named[:2] == [("queue", "done"), ("token", "done")]
    assert named[2:] == [("Container.Refresh", "failed"), ("empty_cache", "done")]
    assert keeper.finish_logout({"window_property": done.append}) == []


@pytest.mark.parametrize(
    "given", [{"": print}, {"a\nb": print}, {3: print}, {"a": "print"}, {"a": None}]
)
def test_what_is_no_function_by_name_is_refused(native: NativeDouble, given: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="after_logout"):
        sessionkeeper.open(after_logout=given)
    assert native.opened == []


def test_the_command_line_says_what_was_not_done(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = [
        {"name": "cache/", "outcome": "failed", "detail": "in\nuse"},
        {"name": "queue.json", "outcome": "done", "detail": ""},
    ]
    native.answer("logout", {**REPORT, "tasks": tasks})
    assert cli.main(["logout"]) == 0
    expected = "Logged out, here and on the server.\nNot done: cache/ (in?use).\n"
    assert capsys.readouterr().out == expected
    assert cli.main(["logout", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tasks"] == tasks


# The real module


def test_the_module_hands_each_out_once(
    angel: StandIn, open_keeper: Callable[..., sessionkeeper.Keeper]
) -> None:
    seen: list[Any] = []
    keeper = open_keeper(after_logout={"note": seen.append, "fail": lambda _: 1 / 0})
    keeper.login(*angel.VIEWER)
    report = keeper.logout()
    assert [(task.name, task.outcome) for task in report.tasks] == [
        ("note", "done"),
        ("fail", "failed"),
    ]
    assert seen[0].remote == "revoked"
    assert keeper.status().state == "signed_out"
    keeper.restore()
    keeper.logout()
    assert len(seen) == 1
    events = [line.event for line in keeper.audit()]
    assert (events.count("task_done"), events.count("task_failed")) == (1, 1)


def test_the_module_keeps_them_when_the_process_ends(
    angel: StandIn,
    open_keeper: Callable[..., sessionkeeper.Keeper],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    seen: list[Any] = []
    keeper = open_keeper(after_logout={"note": seen.append})
    keeper.login(*angel.VIEWER)
    with monkeypatch.context() as patch:
        patch.setattr(post_logout, "finish", ended)
        with pytest.raises(KeyboardInterrupt):
            keeper.logout()
    assert keeper.status().state == "signed_out"
    assert seen == []
    assert open_keeper(after_logout={"note": seen.append}).restore() is None
    assert seen == [post_logout.EARLIER]


def ended(*_: object) -> None:
    raise KeyboardInterrupt
