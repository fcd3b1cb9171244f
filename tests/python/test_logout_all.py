"""Logging out of everything, through the Python API and the command line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from sessionkeeper import cli
from tests.python.conftest import CommandLine
from tests.python.native_double import NativeDouble
from tests.servers.fixture import StandIn

ENTRY: dict[str, Any] = {
    "addon": "",
    "provider": "angel",
    "provider_name": "Angel Studios",
    "account": {"id": "1", "name": "", "email": "viewer@example.com"},
    "conclusion": "proved",
    "remote": "revoked",
    "status": 302,
    "expires_at": 4102444800,
    "reason": "",
}
NOBODY: dict[str, Any] = {
    "entries": [],
    **dict.fromkeys(("proved", "later", "by_itself", "unknown", "failed"), 0),
    "pending_revocations": 0,
}
OpenKeeper = Callable[..., sessionkeeper.Keeper]


def all_of(*changes: dict[str, Any], pending: int | None = 0) -> dict[str, Any]:
    entries = [{**ENTRY, **one} for one in changes]
    counts = {name: 0 for name in NOBODY if name not in {"entries", "pending_revocations"}}
    for entry in entries:
        counts[entry["conclusion"]] += 1
    return {"entries": entries, **counts, "pending_revocations": pending}


# The real module


def test_every_account_is_logged_out_and_counted(
    angel: StandIn, open_keeper: OpenKeeper, tmp_path: Path
) -> None:
    keeper = open_keeper()
    keeper.login(*angel.VIEWER)
    keeper.login(*angel.NON_ASCII)
    private = open_keeper(data_dir=tmp_path / "private", addon="plugin.video.x")
    private.login(*angel.VIEWER)
    register(keeper, private, tmp_path)
    assert [one.addon for one in keeper.vaults().vaults] == ["plugin.video.x"]
    assert {event.addon for event in private.events()} == {"plugin.video.x"}
    angel.fault("/logout", "delay", delay=0.3)
    told: list[tuple[int, int]] = []
    done = keeper.logout_all(progress=lambda *one: told.append(one))
    assert (done.proved, done.later, done.failed, done.pending_revocations) == (3, 0, 0, 0)
    assert [one.addon for one in done.entries] == ["", "", "plugin.video.x"]
    assert {one.provider_name for one in done.entries} == {"Angel Studios"}
    assert not any(session["alive"] for session in angel.sessions())
    assert private.status().state == keeper.status().state == "signed_out"
    assert told
    assert told == sorted(set(told))
    assert all(total == 3 for _, total in told)


def register(keeper: sessionkeeper.Keeper, private: sessionkeeper.Keeper, tmp_path: Path) -> None:
    """As `open()` does for an add-on's private vault in Kodi."""
    options = {"addon": "plugin.video.x", "register_in": keeper.data_dir}
    places = {"data_dir": private.data_dir, "key_dir": str(tmp_path / "keys")}
    opened = private._native.open({"provider": "angel", **places, **options})
    assert private._native.start(opened["keeper"], {"status": {}})


def test_what_a_dead_server_is_not_told_is_told_later(
    angel: StandIn, open_keeper: OpenKeeper
) -> None:
    keeper = open_keeper()
    keeper.login(*angel.VIEWER)
    angel.stop()
    began = time.monotonic()
    done = keeper.logout_all(deadline=3)
    assert time.monotonic() - began < 4
    assert (done.later, done.pending_revocations) == (1, 1)
    assert done.entries[0].remote == "deferred"
    angel.start()
    while keeper.outbox():
        report = keeper.upkeep()
        assert report.next_at is not None or not keeper.outbox()
        time.sleep(0.2)
    assert not any(session["alive"] for session in angel.sessions())
    assert keeper.logout_all().entries == ()


def test_a_hook_gets_the_report_of_its_own_account(angel: StandIn, open_keeper: OpenKeeper) -> None:
    seen: list[sessionkeeper.LogoutReport] = []
    keeper = open_keeper(after_logout={"empty_cache": seen.append})
    keeper.login(*angel.VIEWER)
    assert keeper.logout_all().proved == 1
    (report,) = seen
    assert (report.local, report.remote, report.status) == ("cleared", "revoked", 302)


def test_another_add_on_may_not(
    angel: StandIn, keeper: sessionkeeper.Keeper, tmp_path: Path
) -> None:
    keeper.login(*angel.VIEWER)
    places = {"data_dir": keeper.data_dir, "key_dir": str(tmp_path / "keys")}
    opened = keeper._native.open({"provider": "angel", "caller": "plugin.video.x", **places})
    answer = keeper._native.start(opened["keeper"], {"logout_all": {}})
    while "operation" in answer:
        answer = keeper._native.poll(answer["operation"], 100)
    assert answer["error"]["code"] == "invalid_input"
    assert keeper.status().state == "signed_in"


def test_the_command_line_lists_what_became_of_each(
    angel: StandIn, command_line: CommandLine
) -> None:
    given = angel.VIEWER[1].encode()
    command_line.run("login", "--username", angel.VIEWER[0], given=given)
    ended = command_line.run("logout", "--all")
    assert ended.returncode == 0
    sentence = "viewer@example.com, Angel Studios: logged out, here and on the server.\n"
    assert ended.stdout.decode() == sentence
    assert command_line.json("logout", "--all") == NOBODY


# The words, over the double


@pytest.mark.parametrize(
    ("done", "exit_status", "lines"),
    [
        (NOBODY, 0, ["Nobody was logged in."]),
        (
            all_of(
                {},
                {"conclusion": "later", "remote": "deferred", "reason": "no answer in time"},
                {"conclusion": "by_itself", "remote": "unconfirmed", "addon": "plugin.x"},
                {"conclusion": "unknown", "remote": "unconfirmed", "expires_at": None},
                pending=3,
            ),
            0,
            [
                "logged out, here and on the server.",
                "the server will be told when it can be reached (no answer in time).",
                "Angel Studios (plugin.x): logged out here, but the server has proved nothing; "
                "the session ends by itself on 2100-01-01",
                "proved nothing; nobody knows when the session ends by itself.",
                "3 logouts wait for the server's confirmation",
            ],
        ),
        (
            all_of(
                {"conclusion": "failed", "remote": None, "reason": "the disk\nis full"},
                {
                    "conclusion": "failed",
                    "remote": None,
                    "account": None,
                    "addon": "plugin.x",
                    "reason": "somebody uses it",
                },
                {
                    "conclusion": "unknown",
                    "account": None,
                    "addon": "plugin.y",
                    "reason": "no more",
                },
                pending=None,
            ),
            1,
            [
                "viewer@example.com, Angel Studios: not logged out (the disk?is full).",
                "What is stored (plugin.x) cannot be read: somebody uses it.",
                "What is stored (plugin.y) is gone: no more.",
                "Nobody knows how many logouts wait",
            ],
        ),
    ],
)
def test_the_list_in_words(
    native: NativeDouble,
    capsys: pytest.CaptureFixture[str],
    done: dict[str, Any],
    exit_status: int,
    lines: list[str],
) -> None:
    native.answer("logout_all", done)
    assert cli.main(["logout", "--all"]) == exit_status
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == len(lines)
    assert all(words in line for words, line in zip(lines, shown))
    assert cli.main(["--json", "logout", "--all"]) == exit_status
    assert json.loads(capsys.readouterr().out) == done


@pytest.mark.parametrize("other", ["--local-only", "--everywhere"])
def test_what_does_not_go_together_is_refused(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], other: str
) -> None:
    assert cli.main(["logout", "--all", other]) == 2
    assert other in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["logout", "--all", "--account", "1"])
    assert native.started == []
