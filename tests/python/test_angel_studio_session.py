"""The names that add-ons for Angel Studios already use, over the double of the compiled module."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from tests.python.native_double import (
    NO_TIMES,
    REPORT,
    SIGNED_IN,
    SIGNED_OUT,
    NativeDouble,
    error,
)

NAME, PASSWORD = "viewer@example.com", "password-canary"


def test_authenticate_restores_before_it_logs_in(native: NativeDouble, tmp_path: Path) -> None:
    native.answer("restore", SIGNED_IN)
    angel = sessionkeeper.AngelStudioSession(NAME, PASSWORD, data_dir=tmp_path)
    assert angel.authenticate() is True
    assert [verb for verb, _ in native.started] == ["restore"]
    assert native.opened[0]["data_dir"] == str(tmp_path)


@pytest.mark.parametrize("restored", [SIGNED_OUT, error("session_expired")])
def test_authenticate_logs_in_when_there_is_no_session(
    native: NativeDouble, restored: dict[str, object]
) -> None:
    native.answer("restore", restored)
    native.answer("login", SIGNED_IN)
    angel = sessionkeeper.AngelStudioSession(NAME, PASSWORD)
    assert angel.get_session().account.email == NAME
    assert angel.get_session() is angel.get_session()
    assert [verb for verb, _ in native.started] == ["restore", "login"]


def test_without_a_password_it_says_so(native: NativeDouble) -> None:
    for state, kind in (
        ("signed_out", sessionkeeper.NotSignedIn),
        ("needs_permission", sessionkeeper.PermissionNeeded),
    ):
        for verb in ("restore", "status"):
            native.answer(verb, {**SIGNED_OUT, "state": state})
        with pytest.raises(kind):
            sessionkeeper.AngelStudioSession().authenticate()
    native.answer("restore", error("session_expired"))
    with pytest.raises(sessionkeeper.SessionExpired):
        sessionkeeper.AngelStudioSession().authenticate()


def test_a_forced_authentication_logs_in_anew(native: NativeDouble) -> None:
    native.answer("login", SIGNED_IN)
    angel = sessionkeeper.AngelStudioSession(username=NAME, password=PASSWORD)
    assert angel.authenticate(force_reauthentication=True)
    assert [verb for verb, _ in native.started] == ["login"]


def test_network_trouble_is_not_answered_with_a_password(native: NativeDouble) -> None:
    native.answer("restore", error("network_error"))
    with pytest.raises(sessionkeeper.NetworkError):
        sessionkeeper.AngelStudioSession(NAME, PASSWORD).authenticate()
    assert [verb for verb, _ in native.started] == ["restore"]


def test_the_details_keep_their_names(native: NativeDouble) -> None:
    native.answer("details", {**SIGNED_IN, **NO_TIMES, "signed_in_at": 0, "renewed_at": 1700000000})
    details = sessionkeeper.AngelStudioSession().get_session_details()
    assert details["login_email"] == NAME
    assert details["account_id"] == "87735831"
    assert details["authenticated"] is True
    assert details["expires_at_utc"] == "2100-01-01 00:00:00 UTC"
    assert details["issued_at_utc"] == "2023-11-14 22:13:20 UTC"
    assert details["expires_in_seconds"] > 0
    assert details["cookie_names"] == ["angel_jwt_v2", "_ellis_island_session"]


def test_the_details_of_nobody(native: NativeDouble) -> None:
    native.answer("details", {**SIGNED_OUT, **NO_TIMES})
    details = sessionkeeper.AngelStudioSession().get_session_details()
    assert details["login_email"] == "Unknown"
    assert details["authenticated"] is False
    assert details["jwt_present"] is False
    assert details["expires_at_local"] is None
    assert details["expires_in_human"] is None


@pytest.mark.parametrize(
    ("remote", "proved"), [("revoked", True), ("already_ended", True), ("deferred", False)]
)
def test_remote_logout_is_true_only_on_proof(
    native: NativeDouble, remote: str, proved: bool
) -> None:
    native.answer("logout", {**REPORT, "remote": remote})
    assert sessionkeeper.AngelStudioSession().remote_logout() is proved


def test_logout_forgets_the_password(native: NativeDouble) -> None:
    native.answer("logout", {**REPORT, "remote": "deferred"})
    native.answer("restore", SIGNED_OUT)
    native.answer("status", SIGNED_OUT)
    angel = sessionkeeper.AngelStudioSession(NAME, PASSWORD)
    assert angel.logout().remote == "deferred"
    with pytest.raises(sessionkeeper.NotSignedIn):
        angel.authenticate()


def test_the_old_session_file_does_not_say_where_the_new_sessions_are(
    native: NativeDouble, tmp_path: Path
) -> None:
    sessionkeeper.AngelStudioSession(session_file=str(tmp_path / "angel_session.pkl"), timeout=12)
    assert "data_dir" not in native.opened[0]
    assert native.opened[0]["timeout"] == 12.0


@pytest.mark.parametrize("given", [(NAME, PASSWORD), (NAME, PASSWORD, True)])
def test_authenticate_takes_a_name_and_a_password(native: NativeDouble, given: Any) -> None:
    native.answer("restore", SIGNED_OUT)
    native.answer("login", SIGNED_IN)
    angel = sessionkeeper.AngelStudioSession()
    assert angel.authenticate(*given)
    assert native.arguments("login") == {"username": NAME, "password": PASSWORD.encode()}
    assert [verb for verb, _ in native.started] == ["restore", "login"][len(given) - 2 :]


def test_the_order_of_before_is_understood(native: NativeDouble) -> None:
    native.answer("login", SIGNED_IN)
    assert sessionkeeper.AngelStudioSession(NAME, PASSWORD).authenticate(True)
    assert [verb for verb, _ in native.started] == ["login"]


def test_a_session_is_valid_until_the_logout(native: NativeDouble) -> None:
    for verb, value in {"restore": SIGNED_IN, "status": SIGNED_IN, "logout": REPORT}.items():
        native.answer(verb, value)
    angel = sessionkeeper.AngelStudioSession()
    assert not angel.session_valid
    assert angel.authenticate()
    assert angel.session_valid
    assert angel._validate_session()
    session = angel.get_session()
    assert angel.logout()
    # An add-on that asks for the session then gets one, and nobody is logged in again.
    assert angel.get_session() is session
    assert not angel.session_valid
    assert not angel._validate_session()
    assert [verb for verb, _ in native.started] == ["restore", "status", "logout"]


def test_the_logger_gets_the_lines_of_the_core(
    native: NativeDouble, caplog: pytest.LogCaptureFixture
) -> None:
    native.answer("restore", SIGNED_IN)
    native.log = [[0, "looked"], [2, "100 % odd"]]
    with caplog.at_level(logging.DEBUG):
        sessionkeeper.AngelStudioSession(logger=logging.getLogger("add-on")).authenticate()
    assert caplog.record_tuples == [
        ("add-on", logging.DEBUG, "looked"),
        ("add-on", logging.WARNING, "100 % odd"),
    ]


def test_a_logger_of_an_add_on_s_own_will_do(native: NativeDouble) -> None:
    class Logger:
        """As the public add-on has it: no `log`, no arguments."""

        def __init__(self) -> None:
            self.lines: list[tuple[str, str]] = []

        def debug(self, message: str, category: str | None = None) -> None:
            self.lines.append((f"debug of {category}", message))

        def warning(self, message: str) -> None:
            self.lines.append(("warning", message))

    native.answer("restore", SIGNED_IN)
    native.log = [[0, "looked"], [2, "100 % odd"]]
    logger: Any = Logger()
    sessionkeeper.AngelStudioSession(logger=logger).authenticate()
    assert logger.lines == [("debug of None", "looked"), ("warning", "100 % odd")]


def test_repr_holds_neither_name_nor_password(native: NativeDouble, tmp_path: Path) -> None:
    angel = sessionkeeper.AngelStudioSession(NAME, PASSWORD, data_dir=tmp_path)
    assert NAME not in repr(angel)
    assert PASSWORD not in repr(angel)
