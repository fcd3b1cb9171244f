"""What the command line prints, over the double: for people, as JSON, and of a request."""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from sessionkeeper import cli
from tests.python.native_double import (
    ANGEL,
    ANSWER,
    DOCTOR,
    ENTRY,
    REPORT,
    SIGNED_IN,
    SIGNED_OUT,
    NativeDouble,
)

SECRET = "header-canary"


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
        (SIGNED_OUT, ["Nobody is logged in."]),
        ({**SIGNED_OUT, "pending_revocations": 1}, ["1 logout waits for the server"]),
        ({**SIGNED_OUT, "pending_revocations": 2}, ["2 logouts wait for the server"]),
        (SIGNED_IN, ["Logged in to angel as viewer@example.com.", "angel_jwt_v2", " d "]),
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
        ({}, "Logged out, here and on the server."),
        ({"remote": "already_ended"}, "Logged out, here and on the server."),
        ({"reason": "the server ended the session"}, "Logged out, here and on the server."),
        (
            {"remote": "deferred", "status": None},
            "Logged out here; the server will be told when it can be reached.",
        ),
        (
            {"remote": "deferred", "reason": "no answer\nin time"},
            "Logged out here; the server will be told when it can be reached (no answer?in time).",
        ),
        (
            {"remote": "unconfirmed", "status": 200},
            "Logged out here. The server's answer proves nothing; "
            "the session ends by itself on 2100-01-01 00:00.",
        ),
        (
            {"remote": "alive", "status": 200},
            "Logged out here. The server still accepts the session; "
            "the session ends by itself on 2100-01-01 00:00.",
        ),
        (
            {"remote": "rejected", "expires_at": None},
            "Logged out here. The server refuses to end the session; "
            "when the session ends by itself is unknown.",
        ),
        (
            {"remote": "nothing_to_revoke"},
            "Logged out here only. The server was not told; "
            "the session ends by itself on 2100-01-01 00:00.",
        ),
        (
            {"local": "already_signed_out", "remote": "nothing_to_revoke"},
            "Nobody was logged in.",
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


@pytest.mark.usefixtures("_utc")
def test_logout_tells_which_cookies_the_server_left(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    held = {"remote": "unconfirmed", "cookies_cleared": ["a", "b", "c\n"]}
    native.answer("logout", {**REPORT, **held, "server_cookies_cleared": ["b"]})
    assert cli.main(["logout"]) == 0
    told = "The server deleted this cookie: b; but not: a, c?."
    assert capsys.readouterr().out.splitlines()[1:] == [told]
    for of_the_server in ([], held["cookies_cleared"]):
        native.answer("logout", {**REPORT, **held, "server_cookies_cleared": of_the_server})
        assert cli.main(["logout"]) == 0
        assert len(capsys.readouterr().out.splitlines()) == 1


def test_logout_tells_what_it_does_not_end(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    native.answer("logout", REPORT)
    native.answer("describe", {**ANGEL, "leaves": "the login\nin the browser"})
    assert cli.main(["logout"]) == 0
    told = "A logout does not end the login?in the browser."
    assert capsys.readouterr().out.splitlines()[1:] == [told]
    assert cli.main(["--json", "logout"]) == 0
    assert printed(capsys)["leaves"] == "the login\nin the browser"
    native.answer("logout", {**REPORT, "local": "already_signed_out"})
    assert cli.main(["--json", "logout"]) == 0
    assert "leaves" not in printed(capsys)


def test_logout_as_json_has_exactly_these_keys(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    native.answer("logout", REPORT)
    keys = ["local", "remote", "status", "cookies_cleared", "server_cookies_cleared", "duration_ms"]
    assert cli.main(["--json", "logout", "--local-only"]) == 0
    assert list(printed(capsys)) == keys
    assert native.arguments("logout")["local_only"] is True
    native.answer("logout", {**REPORT, "sessions_ended": None})
    assert cli.main(["--json", "logout", "--everywhere"]) == 0
    shown = printed(capsys)
    assert list(shown) == [*keys, "sessions_ended"]
    assert shown["sessions_ended"] is None
    assert native.arguments("logout")["everywhere"] is True


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sessions_ended": 1}, "The server ended 1 session, this one included."),
        ({"sessions_ended": 3}, "The server ended 3 sessions, this one included."),
        ({"sessions_ended": 2, "remote": "deferred"}, "The server ended 2 sessions."),
        ({"sessions_ended": 0, "remote": "deferred"}, "The server has not ended any session yet."),
        ({"sessions_ended": None}, "How many sessions the server ended is not known."),
        ({"local": "already_signed_out", "remote": "nothing_to_revoke"}, "Nobody was logged in."),
    ],
)
def test_everywhere_tells_how_many(
    native: NativeDouble,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    sentence: str,
) -> None:
    native.answer("logout", {**REPORT, **changes})
    assert cli.main(["logout", "--everywhere"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == sentence


def test_outbox_lists_and_drains(native: NativeDouble, capsys: pytest.CaptureFixture[str]) -> None:
    counts = {"revoked": 1, "already_ended": 0, "deferred": 0}
    counts.update({"unconfirmed": 0, "alive": 1, "rejected": 0, "expired": 2})
    settled = {**ENTRY, "attempts": 3, "last_outcome": "alive", "next_attempt_at": None}
    others = [{**ENTRY, "attempts": 2, "last_outcome": ""}, settled]
    native.answer("outbox", {"entries": [ENTRY, *others]})
    native.answer("drain", {"entries": [], **counts})
    assert cli.main(["outbox", "--json"]) == 0
    assert printed(capsys)["entries"][0] == ENTRY
    assert cli.main(["outbox"]) == 0
    out = capsys.readouterr().out
    assert "tried once, last: deferred  next try" in out
    assert "tried 2 times  next try" in out
    assert "tried 3 times, last: alive  not tried again" in out
    assert cli.main(["outbox", "--drain", "--json"]) == 0
    assert printed(capsys) == {"entries": [], **counts}
    assert cli.main(["outbox", "--drain"]) == 0
    expected = "Tried: 1 revoked, 1 alive, 2 expired.\nNo logout waits for the server.\n"
    assert capsys.readouterr().out == expected


def test_audit_providers_and_doctor(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    line = {"seq": 1, "at": 0, "event": "login", "provider": "angel"}
    line.update({"account": "87735831", "outcome": "ok", "detail": "a\nb"})
    native.answer("audit", {"events": [line]})
    native.answer("doctor", DOCTOR)
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
    assert printed(capsys) == DOCTOR
    assert cli.main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "key:\n  place: /keys/device.key\n  is beside the vault: no\n" in shown


# Requests


def test_a_request_prints_the_body_as_it_is(
    native: NativeDouble, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    body = tmp_path / "body"
    body.write_bytes(b'{"query":\n "{ me }"}')
    native.answer("status", SIGNED_IN)
    native.answer(
        "request",
        {**ANSWER, "status": 404, "headers": [["A", "b"]], "body": b"\xff\x00raw"},
    )
    url = "https://api.angelstudios.com/graphql"
    options = ["--data", f"@{body}", "--header", "Content-Type: application/json"]
    assert cli.main(["request", "post", url, *options]) == 0
    assert capsysbinary.readouterr().out == b"\xff\x00raw"
    assert native.arguments("request") == {
        "account": SIGNED_IN["account"]["id"],
        "method": "post",
        "url": url,
        "headers": [["Content-Type", "application/json"]],
        "body": b'{"query":\n "{ me }"}',
    }
    assert cli.main(["--json", "request", "GET", url]) == 0
    shown = json.loads(capsysbinary.readouterr().out)
    assert shown == {"status": 404, "headers": {"A": "b"}, "body": "\ufffd\0raw"}


def test_data_is_a_form_unless_said_otherwise(
    native: NativeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    native.answer("status", SIGNED_IN)
    native.answer("request", ANSWER)
    standard_input = io.TextIOWrapper(io.BytesIO(b"from=input"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", standard_input)
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
