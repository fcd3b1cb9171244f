"""The command line over the double: arguments, the password's source, output, exit status."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from sessionkeeper import cli
from tests.python.native_double import (
    ENTRY,
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


@pytest.fixture
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


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
        ["login"],
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
    native: NativeDouble,
    given: Given,
    capsys: pytest.CaptureFixture[str],
    username: str,
    password: str,
) -> None:
    given(password.encode())
    assert cli.main(["--json", "login", "--username", username]) == 2
    assert printed(capsys)["error"]["code"] == "invalid_input"
    assert native.started == []


# What is printed


def test_status_as_json_has_exactly_these_keys(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    native.answer("status", SIGNED_OUT)
    assert cli.main(["status", "--json"]) == 0
    assert list(printed(capsys)) == [
        "state",
        "provider",
        "account",
        "expires_at",
        "renewable",
        "cookies",
        "pending_revocations",
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (SIGNED_OUT, ["Nobody is signed in."]),
        ({**SIGNED_OUT, "pending_revocations": 1}, ["1 logout waits for the server"]),
        ({**SIGNED_OUT, "pending_revocations": 2}, ["2 logouts wait for the server"]),
        (SIGNED_IN, ["Signed in to angel as viewer@example.com.", "angel_jwt_v2", " d "]),
        ({**SIGNED_IN, "state": "expired"}, ["it can be renewed", "viewer@example.com"]),
        ({**SIGNED_IN, "state": "expired", "renewable": False}, ["The session has ended"]),
    ],
)
def test_status_for_people(
    native: NativeDouble,
    capsys: pytest.CaptureFixture[str],
    status: dict[str, Any],
    words: list[str],
) -> None:
    native.answer("status", status)
    assert cli.main(["status"]) == 0
    out = capsys.readouterr().out
    for word in words:
        assert word in out


def test_text_from_a_server_cannot_steer_the_terminal(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    account = {"id": "1", "name": "", "email": "evil\x1b[2J\r@example.com\u202e"}
    native.answer("status", {**SIGNED_IN, "account": account})
    assert cli.main(["status"]) == 0
    assert "evil?[2J?@example.com?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Signed out, here and on the server."),
        ({"remote": "already_ended"}, "Signed out, here and on the server."),
        ({"reason": "the server ended the session"}, "Signed out, here and on the server."),
        (
            {"remote": "deferred", "status": None},
            "Signed out here; the server will be told when it can be reached.",
        ),
        (
            {"remote": "deferred", "reason": "no answer\nin time"},
            "Signed out here; the server will be told when it can be reached (no answer?in time).",
        ),
        (
            {"remote": "unconfirmed", "status": 200},
            "Signed out here; the server's answer proves nothing, "
            "the session ends by itself on 2100-01-01 00:00.",
        ),
        (
            {"remote": "rejected", "expires_at": None},
            "Signed out here; the server does not do it, "
            "nobody knows when the session ends by itself.",
        ),
        (
            {"remote": "nothing_to_revoke"},
            "Signed out here only; the server was not told, "
            "the session ends by itself on 2100-01-01 00:00.",
        ),
        (
            {"local": "already_signed_out", "remote": "nothing_to_revoke"},
            "Nobody was signed in.",
        ),
    ],
)
@pytest.mark.usefixtures("_utc")
def test_logout_tells_the_truth_in_one_sentence(
    native: NativeDouble,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    sentence: str,
) -> None:
    native.answer("logout", {**REPORT, **changes})
    assert cli.main(["logout"]) == 0
    assert capsys.readouterr().out == sentence + "\n"


def test_logout_as_json_has_exactly_these_keys(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    native.answer("logout", REPORT)
    assert cli.main(["--json", "logout", "--everywhere", "--local-only"]) == 0
    shown = printed(capsys)
    assert list(shown) == ["local", "remote", "status", "cookies_cleared", "duration_ms"]
    given = native.arguments("logout")
    assert (given["everywhere"], given["local_only"]) == (True, True)


def test_outbox_lists_and_drains(native: NativeDouble, capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"revoked": 1, "already_ended": 0, "deferred": 0}
    counts.update({"unconfirmed": 0, "rejected": 0, "expired": 2})
    native.answer("outbox", {"entries": [ENTRY, {**ENTRY, "attempts": 2, "last_outcome": ""}]})
    native.answer("drain", {"entries": [], **counts})
    assert cli.main(["outbox", "--json"]) == 0
    assert printed(capsys)["entries"][0] == ENTRY
    assert cli.main(["outbox"]) == 0
    out = capsys.readouterr().out
    assert "tried once, last: deferred  next try" in out
    assert "tried 2 times  next try" in out
    assert cli.main(["outbox", "--drain", "--json"]) == 0
    assert printed(capsys) == {"entries": [], **counts}
    assert cli.main(["outbox", "--drain"]) == 0
    expected = "Tried: 1 revoked, 2 expired.\nNo logout waits for the server.\n"
    assert capsys.readouterr().out == expected


def test_audit_providers_and_doctor(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    line = {"seq": 1, "at": 0, "event": "login", "provider": "angel"}
    line.update({"account": "87735831", "outcome": "ok", "detail": "a\nb"})
    native.answer("audit", {"events": [line]})
    native.answer("doctor", {"key": {"found": True, "names": ["a"]}, "clock": None})
    assert cli.main(["audit", "--limit", "5", "--json"]) == 0
    assert printed(capsys) == {"events": [line]}
    assert native.arguments("audit") == {"limit": 5}
    assert cli.main(["audit"]) == 0
    assert "login  ok  angel  87735831  a?b\n" in capsys.readouterr().out
    assert cli.main(["providers", "--json"]) == 0
    assert printed(capsys)["providers"][0]["id"] == "angel"
    assert cli.main(["providers"]) == 0
    assert capsys.readouterr().out == "angel  Angel Studios  https://www.angel.com\n"
    assert cli.main(["doctor", "--json"]) == 0
    assert printed(capsys)["key"]["found"] is True
    assert cli.main(["doctor"]) == 0
    assert capsys.readouterr().out == "key:\n  found: yes\n  names: a\nclock: unknown\n"


# Requests


def test_a_request_prints_the_body_as_it_is(
    native: NativeDouble, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    body = tmp_path / "body"
    body.write_bytes(b'{"query":\n "{ me }"}')
    native.answer("status", SIGNED_IN)
    native.answer(
        "request", {"status": 404, "url": "", "headers": [["A", "b"]], "body": b"\xff\x00raw"}
    )
    url = "https://api.angelstudios.com/graphql"
    options = ["--data", f"@{body}", "--header", "Content-Type: application/json"]
    assert cli.main(["request", "post", url, *options]) == 0
    assert capsysbinary.readouterr().out == b"\xff\x00raw"
    assert native.arguments("request") == {
        "method": "POST",
        "url": url,
        "headers": [["Content-Type", "application/json"]],
        "body": b'{"query":\n "{ me }"}',
    }
    assert cli.main(["--json", "request", "GET", url]) == 0
    shown = json.loads(capsysbinary.readouterr().out)
    assert shown == {"status": 404, "headers": {"A": "b"}, "body": "\ufffd\0raw"}


def test_data_is_a_form_unless_said_otherwise(native: NativeDouble, given: Given) -> None:
    native.answer("status", SIGNED_IN)
    native.answer("request", {"status": 200, "url": "", "headers": [], "body": b""})
    given(b"from=input")
    for data, body in [("a=b", b"a=b"), ("@-", b"from=input")]:
        assert cli.main(["--json", "request", "POST", "https://a/", "--data", data]) == 0
        sent = native.arguments("request")
        assert sent["body"] == body
        assert sent["headers"] == [["Content-Type", "application/x-www-form-urlencoded"]]


@pytest.mark.parametrize(
    "options", [["--header", f"{SECRET}"], ["--header", ": x"], ["--data", "@/no/such/file"]]
)
def test_unusable_options_of_a_request(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    native.answer("status", SIGNED_IN)
    assert cli.main(["request", "GET", "https://a/", *options]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("sessionkeeper: ")
    assert SECRET not in captured.err


def test_a_request_of_nobody(native: NativeDouble, capsys: pytest.CaptureFixture[str]) -> None:
    native.answer("status", SIGNED_OUT)
    assert cli.main(["--json", "request", "GET", "https://a/"]) == 3
    assert printed(capsys)["error"]["code"] == "not_signed_in"


# Exit status


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("invalid_input", 2),
        ("unknown_provider", 2),
        ("invalid_provider", 2),
        ("not_signed_in", 3),
        ("session_expired", 3),
        ("credentials_refused", 4),
        ("network_error", 5),
        ("tls_failure", 5),
        ("timeout", 5),
        ("unexpected_answer", 1),
        ("host_not_allowed", 1),
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
        native.happened.append({"seq": 9, "event": "vault_damaged", "outcome": "key_missing"})
        return {"value": SIGNED_OUT}

    native.happened = [{"seq": 8, "event": "vault_damaged", "outcome": "damaged"}]
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
