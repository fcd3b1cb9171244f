"""Several accounts: which are stored, which is active, and removing one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import cli
from tests.python.native_double import REPORT, SIGNED_IN, STORED, NativeDouble
from tests.servers.fixture import StandIn

OTHER = {
    **STORED,
    "renewable": False,
    "account": {"id": "2", "name": "Other", "email": ""},
    "active": False,
    "state": "expired",
}


@pytest.fixture
def double(native: NativeDouble, tmp_path: Path) -> sessionkeeper.Keeper:
    """A keeper over the double."""
    return sessionkeeper.open(data_dir=tmp_path)


@pytest.mark.parametrize(
    ("state", "renewable", "has_session"),
    [("signed_in", False, True), ("expired", True, True), ("expired", False, False)],
)
def test_switching_gives_the_session(
    native: NativeDouble,
    double: sessionkeeper.Keeper,
    state: str,
    renewable: bool,
    has_session: bool,
) -> None:
    native.answer("switch", {**SIGNED_IN, "state": state, "renewable": renewable})
    session = double.switch("87735831")
    assert (session is not None) is has_session
    assert native.arguments("switch") == {"account": "87735831"}


def test_removing_is_a_logout_of_that_account(
    native: NativeDouble, double: sessionkeeper.Keeper
) -> None:
    native.answer("logout", REPORT)
    assert double.remove("2").remote == "revoked"
    assert native.arguments("logout")["account"] == "2"
    double.logout()
    assert native.arguments("logout")["account"] is None


@pytest.mark.parametrize("given", [3, b"2", STORED])
def test_an_account_is_named_by_its_id(double: sessionkeeper.Keeper, given: Any) -> None:
    for use in (double.switch, double.remove):
        with pytest.raises(sessionkeeper.InvalidInput, match="account"):
            use(given)


# On the command line


def test_accounts_for_people_and_as_json(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    native.answer("accounts", {"accounts": [STORED, OTHER]})
    assert cli.main(["accounts"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("* 87735831  viewer@example.com  angel  stays logged in")
    assert second == "  2  Other  angel  access has ended"
    assert cli.main(["accounts", "--json", "--all"]) == 0
    assert json.loads(capsys.readouterr().out) == {"accounts": [STORED, OTHER]}
    assert native.arguments("accounts") == {"all": True}
    native.answer("accounts", {"accounts": []})
    assert cli.main(["accounts"]) == 0
    assert capsys.readouterr().out == "No account is logged in.\n"


@pytest.mark.parametrize(
    ("changes", "exit_status"), [({}, 0), ({"state": "expired", "renewable": False}, 3)]
)
def test_switching_prints_the_status(
    native: NativeDouble,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    exit_status: int,
) -> None:
    native.answer("switch", {**SIGNED_IN, **changes})
    native.answer("status", {**SIGNED_IN, **changes})
    assert cli.main(["--json", "accounts", "--switch", "87735831"]) == exit_status
    assert json.loads(capsys.readouterr().out) == {**SIGNED_IN, **changes}


def test_logging_out_one_account(native: NativeDouble) -> None:
    native.answer("logout", REPORT)
    assert cli.main(["logout", "--account", "2"]) == 0
    assert native.arguments("logout")["account"] == "2"


# The real module


def test_nobody_is_stored(tmp_path: Path) -> None:
    keeper = sessionkeeper.open("angel", data_dir=tmp_path / "data", key_dir=tmp_path / "keys")
    assert keeper.accounts() == keeper.accounts(all=True) == []
    with pytest.raises(sessionkeeper.UnknownAccount):
        keeper.switch("3")
    with pytest.raises(sessionkeeper.InvalidInput, match="id is empty"):
        keeper.remove("")
    assert keeper.status().state == "signed_out"


def test_two_accounts_one_active_and_one_removed(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    first = keeper.login(*angel.VIEWER).account
    second = keeper.login(*angel.NON_ASCII).account
    assert {entry.account: entry.active for entry in keeper.accounts()} == {
        first: False,
        second: True,
    }
    # The login of another account has ended nobody's session.
    assert [session["alive"] for session in angel.sessions()[-2:]] == [True, True]
    switched = keeper.switch(first.id)
    assert switched is not None
    assert switched.account == keeper.status().account == first
    assert keeper.remove(second.id).remote == "revoked"
    assert [session["alive"] for session in angel.sessions()[-2:]] == [True, False]
    assert keeper.status().account == first
    assert [entry.account for entry in keeper.accounts()] == [first]
    assert keeper.logout().remote == "revoked"
    assert keeper.accounts() == []


def test_after_a_logout_nobody_is_active_and_the_others_stay(
    angel: StandIn, keeper: sessionkeeper.Keeper
) -> None:
    first = keeper.login(*angel.VIEWER).account
    keeper.login(*angel.NON_ASCII)
    keeper.logout()
    assert keeper.status().state == "signed_out"
    assert keeper.restore() is None
    (left,) = keeper.accounts()
    assert (left.account, left.active) == (first, False)
    session = keeper.switch(first.id)
    assert session is not None
    assert session.get("https://www.angel.com/account").status_code == 200
