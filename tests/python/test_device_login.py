"""Logging in with a code: what is shown, for how long, and how it ends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import sessionkeeper
from tests.python.native_double import ANGEL, CODE, QR_ROWS, SIGNED_IN, SIGNED_OUT, NativeDouble


@pytest.fixture
def oidc(native: NativeDouble) -> NativeDouble:
    """A provider that logs in with a code."""
    native.answer("login_start", CODE)
    native.answer("login_finish", SIGNED_IN)
    return native


@pytest.fixture
def keeper(oidc: NativeDouble, tmp_path: Path) -> sessionkeeper.Keeper:
    return sessionkeeper.open("oidc", data_dir=tmp_path)


def test_without_a_complete_address_the_plain_one_serves(
    oidc: NativeDouble, keeper: sessionkeeper.Keeper
) -> None:
    oidc.answer("login_start", {**CODE, "verification_uri_complete": None})
    login = keeper.start_device_login()
    assert login.address == CODE["verification_uri"]
    assert login.qr() == QR_ROWS


def test_the_qr_code_of_an_address_that_is_too_long(
    oidc: NativeDouble, keeper: sessionkeeper.Keeper
) -> None:
    login = keeper.start_device_login()
    oidc.longest_qr = len(CODE["verification_uri"])
    assert login.qr() == QR_ROWS
    oidc.longest_qr = 1
    assert login.qr() == []


def test_the_remaining_time_counts_down_whatever_the_clock_does(
    oidc: NativeDouble, keeper: sessionkeeper.Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = {"wall": 1700000000.0, "monotonic": 50.0}
    monkeypatch.setattr(time, "time", lambda: now["wall"])
    monkeypatch.setattr(time, "monotonic", lambda: now["monotonic"])
    oidc.answer("login_start", {**CODE, "expires_at": 1700000300})
    login = keeper.start_device_login()
    assert login.remaining() == 300
    now["monotonic"] += 0.4
    assert login.remaining() == 300
    now["monotonic"] += 0.8
    now["wall"] += 1e9
    assert login.remaining() == 299
    now["monotonic"] += 298.7
    assert login.remaining() == 1
    now["monotonic"] += 1
    assert login.remaining() == 0


@pytest.mark.parametrize(
    ("logins", "taken"),
    [
        (["password", "device_code"], "login"),
        (["device_code", "password"], "login_finish"),
        (["device_code"], "login_finish"),
    ],
)
def test_restore_or_login_takes_the_first_way_in_that_its_arguments_are_for(
    native: NativeDouble, logins: list[str], taken: str
) -> None:
    native.summaries = [{**ANGEL, "logins": logins}]
    native.answer("restore", SIGNED_OUT)
    native.answer("login", SIGNED_IN)
    native.answer("login_start", CODE)
    native.answer("login_finish", SIGNED_IN)
    shown: list[str] = []
    keeper = sessionkeeper.open("angel")
    keeper.restore_or_login(lambda: ("n", "p"), show_code=lambda code: shown.append(code.user_code))
    assert native.started[-1][0] == taken
    assert shown == ([CODE["user_code"]] if taken == "login_finish" else [])
    keeper.restore_or_login(show_code=lambda code: None)
    assert native.started[-1][0] == "login_finish"
    with pytest.raises(sessionkeeper.InvalidInput, match="no way to log in"):
        keeper.restore_or_login()


def test_repr_does_not_tell_the_code(keeper: sessionkeeper.Keeper) -> None:
    login = keeper.start_device_login()
    assert CODE["user_code"] not in repr(login)
    assert CODE["verification_uri"] in repr(login)


# The real module


def test_the_module_refuses_a_code_for_a_provider_with_passwords(tmp_path: Path) -> None:
    keeper = sessionkeeper.open("angel", data_dir=tmp_path / "data", key_dir=tmp_path / "keys")
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        keeper.start_device_login()
    assert caught.value.message
    with pytest.raises(sessionkeeper.InvalidInput):
        keeper._run("login_finish", {"handle": 99}, None)
