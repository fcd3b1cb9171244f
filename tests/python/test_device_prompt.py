"""Logging in with a code on the command line: what is printed where, and the keys that count."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import sys
import threading
import time
from typing import Callable

import pytest

import sessionkeeper
from sessionkeeper import cli
from sessionkeeper.cli import prompt
from tests.python.native_double import ANGEL, CODE, SIGNED_IN, Hanging, NativeDouble, error

SitDown = Callable[..., "Terminal"]
LOGIN = ["--provider", "oidc", "login"]


@pytest.fixture
def oidc(native: NativeDouble) -> NativeDouble:
    """A provider that logs in with a code."""
    native.summaries = [ANGEL, {**ANGEL, "id": "oidc", "logins": ["device_code"]}]
    native.answer("login_start", CODE)
    native.answer("login_finish", SIGNED_IN)
    return native


def test_json_prints_the_status_alone_and_the_code_elsewhere(
    oidc: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*LOGIN, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert json.loads(captured.out) == SIGNED_IN
    for shown in (CODE["user_code"], CODE["verification_uri"], "▄", "Ctrl-C"):
        assert shown in captured.err
    # No terminal: nothing that changes a line or its colours.
    assert "\r" not in captured.err
    assert "\x1b" not in captured.err


def test_where_there_is_no_code_only_the_address_is_shown(
    oidc: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    oidc.answer("login_start", {**CODE, "user_code": ""})
    assert cli.main(LOGIN) == 0
    shown = capsys.readouterr().err
    assert CODE["verification_uri"] in shown
    assert "enter this code" not in shown


def test_text_from_the_service_cannot_steer_the_terminal(
    oidc: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    oidc.answer("login_start", {**CODE, "user_code": "A\x1b[2J", "verification_uri": "x\u202e"})
    assert cli.main(LOGIN) == 0
    captured = capsys.readouterr()
    assert "A?[2J" in captured.err
    assert "x?" in captured.err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["login"], "sessionkeeper login --username NAME"),
        (["login", "--code"], "sessionkeeper login --username NAME"),
        ([*LOGIN, "--username", "viewer@example.com"], "leave --username out"),
    ],
)
def test_the_other_way_in_is_taught(
    oidc: NativeDouble, capsys: pytest.CaptureFixture[str], arguments: list[str], hint: str
) -> None:
    assert cli.main(arguments) == 2
    assert hint in capsys.readouterr().err
    assert oidc.started == []


@pytest.mark.parametrize(
    ("arguments", "verb"),
    [([], "login_finish"), (["--code"], "login_finish"), (["--username", "v"], "login")],
)
def test_of_several_ways_in_the_first_is_taken_or_the_one_asked_for(
    oidc: NativeDouble, monkeypatch: pytest.MonkeyPatch, arguments: list[str], verb: str
) -> None:
    oidc.summaries = [{**ANGEL, "id": "oidc", "logins": ["device_code", "password"]}]
    oidc.answer("login", SIGNED_IN)
    monkeypatch.setenv("SESSIONKEEPER_PASSWORD", "p")
    assert cli.main([*LOGIN, *arguments]) == 0
    assert oidc.started[-1][0] == verb


def test_a_provider_file_with_passwords_teaches_too(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--provider", "/mine.toml", "login"]) == 2
    assert "sessionkeeper login --username NAME" in capsys.readouterr().err


def test_ctrl_c_ends_the_wait(oidc: NativeDouble, capsys: pytest.CaptureFixture[str]) -> None:
    oidc.answer("login_finish", Hanging(error("cancelled")))
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    assert cli.main(LOGIN) == 130
    assert time.monotonic() - began < 1.3
    timer.join()
    assert "Traceback" not in capsys.readouterr().err


class Terminal(io.StringIO):
    """A terminal for people, with an encoding that has half blocks or not."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


@pytest.fixture
def sit_down(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Puts a terminal in the place of standard error, once the test runs."""

    def sit(encoding: str = "utf-8", kind: str = "xterm-256color") -> Terminal:
        terminal = Terminal(encoding)
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", kind)
        return terminal

    return sit


def test_at_a_terminal_the_time_counts_down_in_one_line(
    oidc: NativeDouble, sit_down: SitDown
) -> None:
    terminal = sit_down()
    ends = int(time.time()) + 125
    oidc.answer("login_start", {**CODE, "expires_at": ends})
    oidc.answer("login_finish", Hanging(error("code_expired")))
    keeper = sessionkeeper.open("oidc")
    began = time.monotonic()
    with pytest.raises(sessionkeeper.CodeExpired):
        prompt.sign_in_elsewhere(keeper, lambda: time.monotonic() > began + 1.2)
    shown = [part for part in terminal.getvalue().split("\r") if "good for" in part]
    assert len(shown) in {2, 3}
    assert shown[0].startswith(("The code is good for 2:05 min.", "The code is good for 2:04 min."))
    assert shown[1].startswith("The code is good for 2:0")
    assert "\x1b[38;5;16;48;5;231m" in terminal.getvalue()
    # The line is gone before anything else is said.
    assert terminal.getvalue().split("\r")[-2].strip() == ""


@pytest.mark.parametrize("columns", [28, 29])
def test_a_narrow_window_is_told_what_it_needs(
    oidc: NativeDouble, sit_down: SitDown, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    terminal = sit_down()
    monkeypatch.setattr(prompt, "_columns", lambda: columns)
    assert cli.main([*LOGIN, "--json"]) == 0
    assert ("▄" in terminal.getvalue()) is (columns >= 29)
    assert ("needs 29 columns" in terminal.getvalue()) is (columns < 29)


def test_a_terminal_without_colours_or_half_blocks(oidc: NativeDouble, sit_down: SitDown) -> None:
    terminal = sit_down("ascii", "dumb")
    assert cli.main([*LOGIN, "--json"]) == 0
    assert "##" in terminal.getvalue()
    assert terminal.getvalue().isascii()
    assert "\x1b" not in terminal.getvalue()


@pytest.mark.parametrize(("typed", "status"), [(b"\n", 0), (b"\x04", 1)])
def test_a_new_code_is_had_with_enter(
    oidc: NativeDouble,
    sit_down: SitDown,
    monkeypatch: pytest.MonkeyPatch,
    typed: bytes,
    status: int,
) -> None:
    terminal = sit_down()
    codes = iter([CODE, {**CODE, "user_code": "SECOND", "handle": 6}])
    oidc.answers["login_start"] = lambda _: {"value": next(codes)}
    ends = {5: error("code_expired"), 6: {"value": SIGNED_IN}}
    oidc.answers["login_finish"] = lambda given: ends[given["handle"]]
    keyboard, screen = pty.openpty()
    with open(screen, encoding="utf-8") as typed_in:
        monkeypatch.setattr(sys, "stdin", typed_in)
        os.write(keyboard, typed)
        assert cli.main([*LOGIN, "--json"]) == status
    os.close(keyboard)
    assert "Press Enter for a new one" in terminal.getvalue()
    assert ("SECOND" in terminal.getvalue()) is (status == 0)


def test_ctrl_c_ends_the_question_too(
    oidc: NativeDouble, sit_down: SitDown, monkeypatch: pytest.MonkeyPatch
) -> None:
    sit_down()
    oidc.answer("login_finish", error("code_expired"))
    keyboard, screen = pty.openpty()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    with open(screen, encoding="utf-8") as typed_in:
        monkeypatch.setattr(sys, "stdin", typed_in)
        timer.start()
        began = time.monotonic()
        assert cli.main(LOGIN) == 130
    assert time.monotonic() - began < 1.3
    timer.join()
    os.close(keyboard)
