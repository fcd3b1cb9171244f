"""The keeper's Python part: what reaches the core, what is refused before it, what comes back."""

from __future__ import annotations

import gc
import sys
import traceback
import types
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
import sessionkeeper.kodi
from tests.python.native_double import (
    EVENT,
    REPORT,
    SIGNED_IN,
    SIGNED_OUT,
    Hanging,
    NativeDouble,
    error,
)

SECRET = "pässword-canary"


@pytest.fixture
def keeper(native: NativeDouble, tmp_path: Path) -> sessionkeeper.Keeper:
    return sessionkeeper.open(data_dir=tmp_path)


# Opening


def test_what_is_left_out_is_the_cores_to_decide(native: NativeDouble) -> None:
    keeper = sessionkeeper.open()
    assert native.opened == [
        {
            "provider": "angel",
            "resolve": [],
            "log_to_terminal": False,
            "lock_timeout": 30.0,
            "background": False,
        }
    ]
    assert (keeper.provider, keeper.data_dir) == ("angel", None)
    assert native.started == []


def test_what_is_due_is_done_by_itself_except_in_kodi(
    native: NativeDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for given in (None, True, False):
        sessionkeeper.open(background=given, addon="plugin.video.x")
    monkeypatch.setitem(sys.modules, "xbmc", types.ModuleType("xbmc"))
    for given in (None, True):
        sessionkeeper.open(data_dir=tmp_path, background=given)
    chosen = [options["background"] for options in native.opened]
    assert chosen == [True, True, False, False, True]
    assert native.opened[0]["addon"] == "plugin.video.x"


def test_paths_become_absolute(native: NativeDouble, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    keeper = sessionkeeper.open(
        Path("mine.toml"), data_dir="data", key_dir=Path("keys"), ca_file="ca.pem"
    )
    config = native.opened[0]
    assert config["provider"] == str(tmp_path / "mine.toml")
    assert config["data_dir"] == keeper.data_dir == str(tmp_path / "data")
    assert config["key_dir"] == str(tmp_path / "keys")
    assert config["ca_file"] == str(tmp_path / "ca.pem")


def test_a_dictionary_reaches_the_core_as_it_is(native: NativeDouble) -> None:
    definition = {"id": "mine", "login": {"kind": "form"}}
    keeper = sessionkeeper.open(definition)
    assert native.opened[0]["provider"] == definition
    assert keeper.provider == "mine"


def test_parameters_reach_the_core(native: NativeDouble) -> None:
    sessionkeeper.open("oidc", parameters={"issuer": "https://op.oidc-demo.example"})
    assert native.opened[0]["parameters"] == {"issuer": "https://op.oidc-demo.example"}
    native.open_error = error("parameter_missing", "the provider needs base")
    with pytest.raises(sessionkeeper.ParameterMissing, match="base"):
        sessionkeeper.open("workos", parameters={})
    assert "parameters" not in native.opened[1]


def test_where_to_connect_is_one_text_or_several(native: NativeDouble) -> None:
    sessionkeeper.open(resolve="c:3:127.0.0.1")
    sessionkeeper.open(resolve=("a:1:127.0.0.1", "b:2:127.0.0.1"))
    assert native.opened[0]["resolve"] == ["c:3:127.0.0.1"]
    assert native.opened[1]["resolve"] == ["a:1:127.0.0.1", "b:2:127.0.0.1"]


def test_in_kodi_the_calling_add_on_decides_where(
    native: NativeDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[str | None, bool]] = []

    def options(data_dir: str | None, *, private: bool) -> dict[str, Any]:
        asked.append((data_dir, private))
        return {"data_dir": str(tmp_path / "shared"), "caller": "plugin.player", "timeout": 7.0}

    opening = types.ModuleType("sessionkeeper.kodi.opening")
    opening.options = options  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xbmc", types.ModuleType("xbmc"))
    monkeypatch.setattr(sessionkeeper.kodi, "opening", opening, raising=False)
    monkeypatch.setitem(sys.modules, "sessionkeeper.kodi.opening", opening)
    assert sessionkeeper.open().data_dir == str(tmp_path / "shared")
    sessionkeeper.open(private=True, timeout=3.0)
    sessionkeeper.open(data_dir=tmp_path)
    assert asked == [(None, False), (None, True), (str(tmp_path), False)]
    assert [config["caller"] for config in native.opened] == ["plugin.player"] * 3
    # What an add-on says itself comes first.
    assert [config["timeout"] for config in native.opened] == [7.0, 3.0, 7.0]


def test_outside_kodi_there_is_no_directory_of_an_add_on(
    native: NativeDouble, tmp_path: Path
) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="no add-on here") as caught:
        sessionkeeper.open(private=True)
    assert "data_dir" in caught.value.hint
    with pytest.raises(sessionkeeper.InvalidInput, match="Both"):
        sessionkeeper.open(private=True, data_dir=tmp_path)
    assert native.opened == []


@pytest.mark.parametrize(
    "options",
    [
        {"provider": b"angel"},
        {"timeout": "30"},
        {"timeout": True},
        {"renewal_margin": 1.5},
        {"log_level": 1},
        {"proxy": 1},
        {"resolve": [1]},
        {"data_dir": "a\0b"},
        {"parameters": "base=x"},
        {"parameters": ["base"]},
        {"parameters": {"base": 3}},
        {"parameters": {3: "x"}},
    ],
)
def test_arguments_of_the_wrong_type_are_refused_by_their_name(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    """By the real module: nobody checks them before."""
    (name,) = options
    with pytest.raises(sessionkeeper.InvalidInput, match=f"^{name}: |^a path") as caught:
        sessionkeeper.open(**{"data_dir": tmp_path, **options})
    assert isinstance(caught.value, ValueError)


# Logging in


@pytest.mark.parametrize("password", [SECRET, SECRET.encode(), bytearray(SECRET.encode())])
def test_the_password_reaches_the_core_as_bytes(
    native: NativeDouble, keeper: sessionkeeper.Keeper, password: Any
) -> None:
    native.answer("login", SIGNED_IN)
    session = keeper.login("viewer@example.com", password)
    assert native.arguments("login") == {
        "username": "viewer@example.com",
        "password": SECRET.encode(),
    }
    assert type(native.arguments("login")["password"]) is bytes
    assert session.account.email == "viewer@example.com"


@pytest.fixture
def real(tmp_path: Path) -> sessionkeeper.Keeper:
    """One of the compiled module, without a network that it could reach."""
    keys = tmp_path / "keys"
    return sessionkeeper.open(data_dir=tmp_path / "data", key_dir=keys, proxy="http://127.0.0.1:9")


@pytest.mark.parametrize("username", ["", "  ", "a\nb", "a\rb", "a\0b", "\ud800", None, b"name"])
def test_an_unusable_name_is_refused(real: sessionkeeper.Keeper, username: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match=r"user ?name"):
        real.login(username, SECRET)


@pytest.mark.parametrize(
    "password",
    ["", b"", SECRET + "\n", SECRET + "\r", SECRET + "\0", SECRET + "\ud800", b"\xff", None, 12],
)
def test_an_unusable_password_is_refused_and_never_in_the_traceback(
    real: sessionkeeper.Keeper, password: Any
) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="password") as caught:
        real.login("viewer@example.com", password)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
    assert SECRET not in "".join(traceback.format_exception(*caught._excinfo or ()))
    assert SECRET not in repr(caught.value.__dict__)


# The rest


def test_restore_gives_none_when_nobody_is_signed_in(
    native: NativeDouble, keeper: sessionkeeper.Keeper
) -> None:
    native.answer("restore", SIGNED_OUT)
    native.answer("status", SIGNED_OUT)
    assert keeper.restore() is None
    assert keeper.session is None
    native.answer("restore", {**SIGNED_IN, "state": "expired", "renewable": False})
    assert keeper.restore() is None


def test_restore_offline_says_so(native: NativeDouble, keeper: sessionkeeper.Keeper) -> None:
    native.answer("restore", {**SIGNED_IN, "state": "expired"})
    session = keeper.restore(offline=True)
    assert session is not None
    assert session.state == "expired"
    assert native.arguments("restore") == {"offline": True}
    keeper.restore()
    assert native.arguments("restore") == {"offline": False}


def test_logout_passes_its_options(native: NativeDouble, keeper: sessionkeeper.Keeper) -> None:
    native.answer("logout", REPORT)
    assert keeper.logout(everywhere=True, deadline=2.5).remote == "revoked"
    assert native.arguments("logout") == {
        "local_only": False,
        "everywhere": True,
        "deadline": 2.5,
        "account": None,
        "hooks": [],
    }


def test_events_and_log_lines(native: NativeDouble, keeper: sessionkeeper.Keeper) -> None:
    native.log = [[1, "logged in"], [3, "it broke"]]
    assert keeper.newest_event() == 0
    native.happened = [EVENT, {**EVENT, "seq": 5, "event": "logout"}]
    assert keeper.take_log() == [(1, "logged in"), (3, "it broke")]
    assert keeper.take_log() == []
    assert keeper.newest_event() == 5
    assert [event.event for event in keeper.events()] == ["login", "logout"]
    assert [event.event for event in keeper.events(4)] == ["logout"]


def test_a_stop_of_the_call_replaces_that_of_the_keeper(native: NativeDouble) -> None:
    native.answer("renew", Hanging(error("cancelled")))
    keeper = sessionkeeper.open(stop=lambda: pytest.fail("the keeper's stop was asked"))
    with pytest.raises(sessionkeeper.Cancelled):
        keeper.renew(stop=lambda: True)


def test_the_stop_of_the_keeper_holds_for_every_call(native: NativeDouble) -> None:
    native.answer("request", Hanging(error("cancelled")))
    native.answer("status", SIGNED_IN)
    session = sessionkeeper.open(stop=lambda: True).session
    assert session is not None
    with pytest.raises(sessionkeeper.Cancelled):
        session.get("https://www.angel.com/account")


def test_repr_tells_where_and_no_more(native: NativeDouble, keeper: sessionkeeper.Keeper) -> None:
    assert repr(keeper) == f"<Keeper provider='angel' data_dir={keeper.data_dir!r}>"


def test_a_keeper_gives_its_handle_back(native: NativeDouble) -> None:
    native.answer("status", SIGNED_IN)
    session = sessionkeeper.open().session
    gc.collect()
    assert native.closed == [], "the session needs it"
    del session
    gc.collect()
    assert native.closed == [11]
