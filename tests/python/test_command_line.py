"""The command line over the double: arguments, the password's source, exit status, Ctrl-C."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from sessionkeeper import cli
from tests.python.native_double import (
    EVENT,
    REPORT,
    SIGNED_IN,
    SIGNED_OUT,
    Hanging,
    NativeDouble,
    error,
)

SECRET = "password-canary"
Given = Callable[[bytes], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """Puts bytes on standard input, which is no terminal."""

    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))

    give(b"")
    return give


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


# Arguments


def test_the_shared_options_stand_before_or_after_the_command(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    native.answer("status", SIGNED_IN)
    shared = ["--data-dir", str(tmp_path), "--ca-file", "/ca.pem", "--timeout", "3", "--json"]
    shared += ["--resolve", "a:1:127.0.0.1", "--resolve", "b:2:127.0.0.1"]
    for arguments in ([*shared, "status"], ["status", *shared]):
        assert cli.main(arguments) == 0
        assert printed(capsys) == SIGNED_IN
    first, second = native.opened
    assert first == second
    assert first["resolve"] == ["a:1:127.0.0.1", "b:2:127.0.0.1"]
    assert first["timeout"] == 3.0
    assert first["data_dir"] == str(tmp_path)
    assert first["provider"] == "angel"


@pytest.mark.parametrize(("flags", "level"), [([], "info"), (["--verbose"], "debug")])
def test_the_log_goes_to_the_terminal_where_that_is_wished(
    native: NativeDouble, flags: list[str], level: str
) -> None:
    native.answer("status", SIGNED_OUT)
    assert cli.main(["status", *flags]) == 0
    assert native.opened[0]["log_level"] == level
    assert native.opened[0]["log_to_terminal"] is bool(flags)


@pytest.mark.parametrize(
    ("arguments", "does_more"),
    [(["status"], False), (["outbox"], False), (["logout"], False), (["restore"], True)],
)
def test_what_only_shows_does_nothing_besides(
    native: NativeDouble, arguments: list[str], does_more: bool
) -> None:
    for verb, answer in (("status", SIGNED_OUT), ("restore", SIGNED_OUT), ("logout", REPORT)):
        native.answer(verb, answer)
    native.answer("outbox", {"entries": []})
    cli.main(arguments)
    assert native.opened[0]["background"] is does_more


def test_options_on_both_sides_add_up(native: NativeDouble) -> None:
    native.answer("status", SIGNED_OUT)
    assert cli.main(["--resolve", "a:1:b", "--provider", "x", "status", "--resolve", "c:2:d"]) == 0
    assert native.opened[0]["resolve"] == ["a:1:b", "c:2:d"]
    assert native.opened[0]["provider"] == "x"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["frobnicate"],
        ["providers", "frobnicate"],
        ["accounts", "--switch"],
        ["status", "--frobnicate"],
        ["--timeout", "soon", "status"],
        ["audit", "--limit", "0"],
        ["audit", "--limit", "x"],
        ["request", "GET"],
    ],
)
def test_usage_errors_end_with_2(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: sessionkeeper" in capsys.readouterr().err
    assert native.started == []


def test_parameters_on_both_sides_add_up(native: NativeDouble) -> None:
    native.answer("status", SIGNED_OUT)
    before, after = ["--parameter", "base=https://a/?b=c"], ["--parameter", " id = x "]
    assert cli.main([*before, "status", *after]) == 0
    assert native.opened[0]["parameters"] == {"base": "https://a/?b=c", "id": " x "}


@pytest.mark.parametrize("given", ["base", "=x", " =x", ""])
def test_a_parameter_that_is_none_teaches(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], given: str
) -> None:
    assert cli.main(["--parameter", given, "status"]) == 2
    assert "--parameter base=https://api.example.com" in capsys.readouterr().err
    assert native.opened == []


# The password


@pytest.mark.parametrize("line", [b"%s\n", b"%s\r\n", b"%s", b"%s\nmore\n"])
def test_the_password_is_the_first_line_of_standard_input(
    native: NativeDouble, given: Given, capsys: pytest.CaptureFixture[str], line: bytes
) -> None:
    native.answer("login", SIGNED_IN)
    given(line % SECRET.encode())
    assert cli.main(["--json", "login", "--username", "viewer@example.com"]) == 0
    assert native.arguments("login")["password"] == SECRET.encode()
    assert printed(capsys) == SIGNED_IN


def test_the_password_may_come_from_the_environment(
    native: NativeDouble, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    native.answer("login", SIGNED_IN)
    monkeypatch.setenv("SESSIONKEEPER_PASSWORD", "пароль 🔑")
    assert cli.main(["login", "--username", "viewer@example.com"]) == 0
    assert native.arguments("login")["password"] == "пароль 🔑".encode()


def test_a_terminal_is_asked_for_the_password(
    native: NativeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    native.answer("login", SIGNED_IN)
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr("getpass.getpass", lambda prompt: SECRET)
    assert cli.main(["login", "--username", "viewer@example.com"]) == 0
    assert native.arguments("login")["password"] == SECRET.encode()


@pytest.mark.parametrize(("username", "password"), [("", SECRET), ("viewer@example.com", "")])
def test_an_empty_name_or_password_is_a_usage_error(
    given: Given,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    username: str,
    password: str,
) -> None:
    """The compiled module says so, before it asks anybody."""
    given(password.encode())
    arguments = ["--json", "--data-dir", str(tmp_path), "login", "--username", username]
    assert cli.main(arguments) == 2
    assert printed(capsys)["error"]["code"] == "invalid_input"


# Exit status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_input", 2),
        ("unknown_provider", 2),
        ("invalid_provider", 2),
        ("unknown_account", 2),
        ("not_signed_in", 3),
        ("session_expired", 3),
        ("credentials_refused", 4),
        ("login_denied", 4),
        ("network_error", 5),
        ("tls_failure", 5),
        ("timeout", 5),
        ("unexpected_answer", 1),
        ("host_not_allowed", 1),
        ("code_expired", 1),
        ("cancelled", 1),
        ("storage_error", 1),
        ("logout_incomplete", 1),
        ("version_mismatch", 1),
        ("internal_error", 1),
    ],
)
def test_the_exit_status_of_each_error(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], code: str, status: int
) -> None:
    native.answer("restore", error(code))
    assert cli.main(["restore"]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "sessionkeeper: what went wrong\nwhat to do\n"
    assert cli.main(["--json", "restore"]) == status
    assert printed(capsys) == error(code)


def test_a_missing_parameter_teaches_how_to_give_it(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    native.open_error = error("parameter_missing", "this provider needs 'base'", "Such as: x")
    assert cli.main(["--provider", "workos", "status"]) == 2
    expected = "sessionkeeper: this provider needs 'base'\nSuch as: x\n"
    assert capsys.readouterr().err == f"{expected}Give it as: --parameter NAME=VALUE\n"


@pytest.mark.parametrize(("state", "status"), [("signed_in", 0), ("expired", 3), ("signed_out", 3)])
def test_restore_of_nobody_ends_with_3(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], state: str, status: int
) -> None:
    stored = SIGNED_OUT if state == "signed_out" else {**SIGNED_IN, "state": state}
    native.answer("restore", stored)
    native.answer("status", stored)
    assert cli.main(["restore", "--json"]) == status
    assert printed(capsys)["state"] == state


def test_damage_is_told_once_on_standard_error(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    def damaged(_: dict[str, Any]) -> dict[str, Any]:
        native.happened.append({**damage, "seq": 9, "outcome": "key_missing"})
        return {"value": SIGNED_OUT}

    damage = {**EVENT, "seq": 8, "event": "vault_damaged", "outcome": "damaged"}
    native.happened = [damage]
    native.answers["status"] = damaged
    assert cli.main(["status"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "the device key is missing" in captured.err
    native.answer("status", SIGNED_OUT)
    assert cli.main(["status"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("command", "last_word", "printed_word"),
    [("restore", error("cancelled"), ""), ("logout", {"value": {**REPORT, "remote": "deferred"}},
                                           "will be told")],
)  # fmt: skip
def test_the_first_ctrl_c_cancels_and_ends_with_130(
    native: NativeDouble,
    capsys: pytest.CaptureFixture[str],
    command: str,
    last_word: dict[str, Any],
    printed_word: str,
) -> None:
    native.answer(command, Hanging(last_word))
    before = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    assert cli.main([command]) == 130
    assert time.monotonic() - began < 1.3
    timer.join()
    assert native.cancelled == [1]
    assert printed_word in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_ctrl_c_ends_it(native: NativeDouble) -> None:
    native.answer("restore", Hanging())
    timers = [threading.Timer(s, os.kill, (os.getpid(), signal.SIGINT)) for s in (0.2, 0.5)]
    for timer in timers:
        timer.start()
    began = time.monotonic()
    assert cli.main(["restore"]) == 130
    assert time.monotonic() - began < 0.9
    for timer in timers:
        timer.join()
