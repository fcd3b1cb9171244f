"""Logging in with a browser: the API, and what the command line prints and reads."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import cli
from tests.python.native_double import (
    ANGEL,
    BROWSER,
    CODE,
    QR_ROWS,
    SIGNED_IN,
    SIGNED_OUT,
    Hanging,
    NativeDouble,
    error,
)

ADDRESS = "https://app.example/back?code=the-code&state=the-state"
LOGIN = ["--provider", "oidc", "login"]
# Where a browser with a window may be.
WINDOWS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


@pytest.fixture
def oidc(native: NativeDouble, monkeypatch: pytest.MonkeyPatch) -> NativeDouble:
    """A provider that logs in with a browser; nobody has a window."""
    native.summaries = [ANGEL, {**ANGEL, "id": "oidc", "logins": ["authorization_code"]}]
    native.answer("browser_login_start", BROWSER)
    native.answer("browser_login_finish", SIGNED_IN)
    for name in WINDOWS:
        monkeypatch.delenv(name, raising=False)
    return native


@pytest.fixture
def keeper(oidc: NativeDouble, tmp_path: Path) -> sessionkeeper.Keeper:
    return sessionkeeper.open("oidc", data_dir=tmp_path)


# The API


def test_a_browser_is_waited_for_or_its_address_given(
    oidc: NativeDouble, keeper: sessionkeeper.Keeper
) -> None:
    login = keeper.start_browser_login()
    assert oidc.arguments("browser_login_start") == {"redirect": "loopback"}
    assert (login.url, login.redirect_uri) == (BROWSER["url"], BROWSER["redirect_uri"])
    assert login.qr() == QR_ROWS
    assert login.remaining() > 1000
    assert login.wait().account.email == "viewer@example.com"
    assert oidc.arguments("browser_login_finish") == {"handle": 6, "redirected_to": None}
    for address in (ADDRESS, ADDRESS.encode()):
        login = keeper.start_browser_login("paste")
        assert oidc.arguments("browser_login_start") == {"redirect": "paste"}
        login.finish(address)
        given = oidc.arguments("browser_login_finish")
        assert given == {"handle": 6, "redirected_to": ADDRESS.encode()}


@pytest.mark.parametrize("address", [7, ["x"], "\udcff"])
def test_what_is_no_address_is_refused_without_being_shown(
    keeper: sessionkeeper.Keeper, address: Any
) -> None:
    login = keeper.start_browser_login("paste")
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        login.finish(address)
    assert "udcff" not in repr(caught.value)
    assert caught.value.__context__ is None


def test_repr_does_not_tell_the_address(keeper: sessionkeeper.Keeper) -> None:
    shown = repr(keeper.start_browser_login())
    assert "the-state" not in shown
    assert BROWSER["redirect_uri"] in shown


@pytest.mark.parametrize(
    ("logins", "taken"),
    [
        (["authorization_code", "password"], "browser_login_finish"),
        (["password", "authorization_code"], "login"),
        (["device_code", "authorization_code"], "login_finish"),
        (["authorization_code"], "browser_login_finish"),
    ],
)
def test_restore_or_login_takes_the_first_way_in(
    native: NativeDouble, logins: list[str], taken: str
) -> None:
    native.summaries = [{**ANGEL, "logins": logins}]
    native.answer("restore", SIGNED_OUT)
    native.answer("login_start", CODE)
    native.answer("browser_login_start", BROWSER)
    for verb in ("login", "login_finish", "browser_login_finish"):
        native.answer(verb, SIGNED_IN)
    opened: list[str] = []
    sessionkeeper.open("angel").restore_or_login(
        lambda: ("n", "p"),
        show_code=lambda code: None,
        open_browser=lambda login: opened.append(login.url),
    )
    assert native.started[-1][0] == taken
    assert opened == ([BROWSER["url"]] if taken == "browser_login_finish" else [])
    sessionkeeper.open("angel").restore_or_login(open_browser=lambda login: None)
    assert native.started[-1][0] == "browser_login_finish"


# The command line


@pytest.mark.parametrize("arguments", [[], ["--browser"]])
def test_the_address_is_printed_and_the_browser_waited_for(
    oidc: NativeDouble, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert cli.main([*LOGIN, *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == SIGNED_IN
    assert BROWSER["url"] in captured.err
    assert oidc.arguments("browser_login_start") == {"redirect": "loopback"}


def test_a_browser_with_a_window_is_opened(
    oidc: NativeDouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not opened.append(url))
    assert cli.main(LOGIN) == 0
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    assert cli.main(LOGIN) == 0
    assert opened == [BROWSER["url"]]
    assert "opens now" in capsys.readouterr().err

    def fail(_: str) -> bool:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "open", fail)
    assert cli.main(LOGIN) == 0
    assert "opens now" not in capsys.readouterr().err


def test_ctrl_c_ends_the_wait(oidc: NativeDouble, capsys: pytest.CaptureFixture[str]) -> None:
    oidc.answer("browser_login_finish", Hanging(error("cancelled")))
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    assert cli.main(LOGIN) == 130
    assert time.monotonic() - began < 1.3
    timer.join()
    assert "Traceback" not in capsys.readouterr().err


class Input(io.TextIOWrapper):
    """What was piped in."""

    def __init__(self, text: str) -> None:
        super().__init__(io.BytesIO(text.encode()))


def test_an_address_is_read_from_standard_input(
    oidc: NativeDouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Input(f"  {ADDRESS}\r\n"))
    assert cli.main([*LOGIN, "--paste"]) == 0
    assert oidc.arguments("browser_login_start") == {"redirect": "paste"}
    assert oidc.arguments("browser_login_finish")["redirected_to"] == ADDRESS.encode()
    captured = capsys.readouterr()
    assert BROWSER["url"] in captured.err
    assert "the-code" not in captured.err + captured.out
    # Nothing, and what is wrong: nobody is there to be asked again.
    monkeypatch.setattr(sys, "stdin", Input(""))
    assert cli.main([*LOGIN, "--paste"]) == 2
    oidc.answer("browser_login_finish", error("invalid_input", "this is no address"))
    monkeypatch.setattr(sys, "stdin", Input("x\n"))
    assert cli.main([*LOGIN, "--paste"]) == 2
    assert "this is no address" in capsys.readouterr().err


def test_at_a_terminal_a_wrong_address_can_be_put_right(
    oidc: NativeDouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(options: dict[str, Any]) -> dict[str, Any]:
        if options["redirected_to"] == ADDRESS.encode():
            return {"value": SIGNED_IN}
        return error("invalid_input", "this is no address")

    oidc.answers["browser_login_finish"] = answer
    keyboard, terminal = pty.openpty()
    os.write(keyboard, b"what\n")
    timer = threading.Timer(0.5, os.write, (keyboard, ADDRESS.encode() + b"\n"))
    timer.start()
    with open(terminal, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert cli.main([*LOGIN, "--paste"]) == 0
    timer.join()
    assert capsys.readouterr().err.count("this is no address") == 1
    os.close(keyboard)


def test_ctrl_c_ends_the_prompt(
    oidc: NativeDouble, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keyboard, terminal = pty.openpty()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with open(terminal, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert cli.main([*LOGIN, "--paste"]) == 130
    assert time.monotonic() - began < 1.3
    timer.join()
    assert "Traceback" not in capsys.readouterr().err
    os.close(keyboard)


@pytest.mark.parametrize("arguments", [["--browser"], ["--paste"]])
def test_the_other_way_in_is_taught(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert cli.main(["login", *arguments]) == 2
    shown = capsys.readouterr().err
    assert "has no login in a browser" in shown
    assert "sessionkeeper login --username NAME" in shown
    assert native.started == []


def test_one_way_at_a_time(oidc: NativeDouble) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*LOGIN, "--browser", "--paste"])
    assert caught.value.code == 2


def test_text_cannot_steer_the_terminal(
    oidc: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    oidc.answer("browser_login_start", {**BROWSER, "url": "https://a/\x1b[2J"})
    assert cli.main(LOGIN) == 0
    assert "https://a/?[2J" in capsys.readouterr().err


# The real module


def test_the_module_refuses_a_browser_for_a_provider_with_passwords(tmp_path: Path) -> None:
    keeper = sessionkeeper.open("angel", data_dir=tmp_path / "data", key_dir=tmp_path / "keys")
    for redirect in ("loopback", "paste"):
        with pytest.raises(sessionkeeper.InvalidInput, match="no login in a browser"):
            keeper.start_browser_login(redirect)
    with pytest.raises(sessionkeeper.InvalidInput, match="redirect"):
        keeper.start_browser_login("somewhere")
    with pytest.raises(sessionkeeper.InvalidInput):
        keeper._run("browser_login_finish", {"handle": 99}, None)
