"""Taking over what other programs kept: in which forms it reaches the core, and the whole way with
the stand-in of Angel Studios.
"""

from __future__ import annotations

import http.cookiejar
import json
import os
import sys
import types
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
import sessionkeeper.kodi
from tests.python.native_double import (
    NO_TIMES,
    REPORT,
    SIGNED_IN,
    SIGNED_OUT,
    NativeDouble,
    error,
)
from tests.servers.browser import GRAPHQL, Browser
from tests.servers.fixture import StandIn
from tests.session_files import cookie, pickled, requests_jar

SECRET = "cookie-canary"
OTHER = ("other@example.com", "another password")
ME = {"query": "{ me { email } }"}


def given(
    name: str, domain: str = "", path: str = "", expires: int | None = None
) -> dict[str, Any]:
    value = SECRET.encode()
    return {"name": name, "value": value, "domain": domain, "path": path, "expires": expires}


def as_objects(jar: http.cookiejar.CookieJar) -> Any:
    """As httpx has it."""
    return types.SimpleNamespace(jar=jar)


# The forms


@pytest.mark.parametrize(
    ("cookies", "expected"),
    [
        ({"a": SECRET}, [given("a")]),
        ([{"name": "a", "value": SECRET}], [given("a")]),
        (
            [{"name": "a", "value": SECRET, "domain": ".b.c", "path": "/d", "expires": 7.9}],
            [given("a", ".b.c", "/d", 7)],
        ),
        # As a browser's driver and an automated browser tell them.
        ([{"name": "a", "value": SECRET, "expiry": 7, "httpOnly": True}], [given("a", expires=7)]),
        ([{"name": "a", "value": SECRET, "expires": -1}], [given("a")]),
        ([cookie("a", SECRET)], [given("a", ".angel.com", "/", 4102444800)]),
        (requests_jar([cookie("a", SECRET)]), [given("a", ".angel.com", "/", 4102444800)]),
        (
            as_objects(requests_jar([cookie("a", SECRET, expires=None)])),
            [given("a", ".angel.com", "/")],
        ),
        ([{"name": "a", "value": SECRET, "domain": [["x"]], "path": 7}], [given("a")]),
        ([cookie("a", None)], []),  # type: ignore[arg-type]
        ((one for one in [{"name": "a", "value": SECRET}]), [given("a")]),
        ({}, []),
    ],
)
def test_cookies_come_in_many_forms(native: NativeDouble, cookies: Any, expected: Any) -> None:
    native.answer("adopt", SIGNED_IN)
    session = sessionkeeper.open().adopt(cookies=cookies)
    assert session.account.email == "viewer@example.com"
    assert native.arguments("adopt") == {"cookies": expected, "tokens": {}}


def test_tokens_go_as_they_are(native: NativeDouble) -> None:
    native.answer("adopt", SIGNED_IN)
    tokens = {"access_token": SECRET, "expires_at": 7.5, "scope": ["a"]}
    sessionkeeper.open().adopt({"a": SECRET}, tokens)
    asked = native.arguments("adopt")
    assert (asked["cookies"], asked["tokens"]) == ([given("a")], tokens)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cookies": SECRET},
        {"cookies": 7},
        {"cookies": [SECRET]},
        {"cookies": [{"value": SECRET}]},
        {"cookies": {7: SECRET}},
        {"cookies": {SECRET: "\ud800"}},
        {"cookies": [{"name": "a", "value": SECRET, "expires": SECRET}]},
        {"tokens": SECRET},
        {"tokens": [SECRET]},
    ],
)
def test_what_is_neither_is_refused_without_its_value(
    native: NativeDouble, wrong: dict[str, Any]
) -> None:
    with pytest.raises(sessionkeeper.InvalidInput) as caught:
        sessionkeeper.open().adopt(**wrong)
    assert SECRET not in repr(caught.value) + caught.value.hint
    assert caught.value.__context__ is None
    assert native.started == []


# What `open` is told of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "angel_session.pkl"
    file.write_bytes(pickled(requests_jar([cookie("angel_jwt", SECRET)])))
    return file


def taken(how: str) -> dict[str, str]:
    return {"how": how}


def verbs(native: NativeDouble) -> list[str]:
    return [verb for verb, _ in native.started]


def test_a_file_is_taken_over_once_and_erased(native: NativeDouble, file: Path) -> None:
    native.answer("take_over", taken("taken"))
    native.answer("restore", SIGNED_IN)
    keeper = sessionkeeper.open(adopt_file=file)
    assert native.started == []
    assert keeper.has_handover()
    assert keeper.restore()
    assert verbs(native) == ["take_over", "restore"]
    asked = native.arguments("take_over")
    assert asked["handed_over"]["cookies"][0]["value"] == SECRET.encode()
    assert asked["offline"] is False
    assert not file.exists()
    assert not keeper.has_handover()
    assert keeper.restore()
    assert sessionkeeper.open(adopt_file=file).restore()
    assert verbs(native) == ["take_over", "restore", "restore", "restore"]


def test_offline_the_file_waits(native: NativeDouble, file: Path) -> None:
    native.answer("restore", SIGNED_OUT)
    assert sessionkeeper.open(adopt_file=file).restore(offline=True) is None
    assert file.exists()


@pytest.mark.parametrize(
    "code", ["invalid_input", "network_error", "unexpected_answer", "storage_error", "cancelled"]
)
def test_what_kept_it_from_being_taken_over_is_raised_and_the_file_stays(
    native: NativeDouble, file: Path, code: str
) -> None:
    before = file.read_bytes()
    native.answer("take_over", error(code))
    native.answer("restore", SIGNED_OUT)
    keeper = sessionkeeper.open(adopt_file=file)
    with pytest.raises(sessionkeeper.Error) as caught:
        keeper.restore()
    assert caught.value.code == code
    assert file.read_bytes() == before
    # Who is logged in anyway need not hear of it.
    native.answer("restore", SIGNED_IN)
    assert keeper.restore()


def test_where_nothing_is_kept_any_more_nothing_is_loaded_to_read_it(
    native: NativeDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = ["sessionkeeper.session_file", "sessionkeeper.inert_pickle"]
    for name in readers:
        monkeypatch.delitem(sys.modules, name, raising=False)
    native.answer("restore", SIGNED_IN)
    assert sessionkeeper.open(adopt_file=tmp_path / "session").restore()
    assert not set(readers) & set(sys.modules)


@pytest.mark.parametrize("how", ["later", "no_session"])
def test_what_is_not_taken_over_stays_without_an_error(
    native: NativeDouble, file: Path, how: str
) -> None:
    before = file.read_bytes()
    native.answer("take_over", taken(how))
    native.answer("restore", SIGNED_OUT)
    assert sessionkeeper.open(adopt_file=file).restore() is None
    assert file.read_bytes() == before
    noted = [options for verb, options in native.started if verb == "note_handover"]
    assert noted == [{"place": str(file), "unreadable": True}] * (how == "no_session")


@pytest.mark.parametrize("verb", ["logout", "logout_all", "forget"])
def test_a_logout_takes_the_file_along(native: NativeDouble, file: Path, verb: str) -> None:
    zero = dict.fromkeys(("proved", "later", "by_itself", "unknown", "failed"), 0)
    native.answer("take_over", taken("taken"))
    native.answer("logout", REPORT)
    native.answer("logout_all", {"entries": [], **zero, "pending_revocations": 0})
    native.answer("forget", {"forgotten": True, "sessions": 1, "pending_revocations": 0})
    assert getattr(sessionkeeper.open(adopt_file=file), verb)()
    assert verbs(native) == [verb, "take_over"]
    (handed,) = native.arguments(verb)["handed_over"]
    assert handed["cookies"][0]["value"] == SECRET.encode()
    assert native.arguments("take_over") == {"handed_over": handed, "offline": True}
    assert not file.exists()


@pytest.mark.parametrize("verb", ["logout", "logout_all", "forget"])
def test_a_logout_that_fails_leaves_the_file(native: NativeDouble, file: Path, verb: str) -> None:
    native.answer(verb, error("storage_error"))
    with pytest.raises(sessionkeeper.StorageError):
        getattr(sessionkeeper.open(adopt_file=file), verb)()
    assert (verbs(native), file.exists()) == ([verb], True)


def test_a_file_that_nobody_understands_stays_and_is_named(
    native: NativeDouble, tmp_path: Path
) -> None:
    native.answer("restore", SIGNED_OUT)
    file = tmp_path / "file"
    for content in (b"\x80\x04cos\nsystem\n.", b"a picture", b"[]", b"# Netscape", b"#"):
        file.write_bytes(content)
        assert sessionkeeper.open(adopt_file=file).restore() is None
        assert file.read_bytes() == content
        assert native.arguments("note_handover") == {"place": str(file), "unreadable": True}
    assert verbs(native) == ["note_handover", "restore"] * 5
    file.write_bytes(b"")
    assert sessionkeeper.open(adopt_file=file).restore() is None
    assert verbs(native)[10:] == ["restore"]


def test_a_file_that_is_written_meanwhile_stays(native: NativeDouble, file: Path) -> None:
    def answer(_: dict[str, Any]) -> dict[str, Any]:
        file.write_bytes(b"another session")
        return {"value": taken("taken")}

    native.answers["take_over"] = answer
    native.answer("restore", SIGNED_IN)
    assert sessionkeeper.open(adopt_file=file).restore()
    assert file.read_bytes() == b"another session"
    assert verbs(native) == ["take_over", "restore"]


def test_a_file_that_may_only_be_read_is_erased(native: NativeDouble, file: Path) -> None:
    native.answer("take_over", taken("taken"))
    native.answer("restore", SIGNED_IN)
    file.chmod(0o400)
    assert sessionkeeper.open(adopt_file=file).restore()
    assert not file.exists()


def test_a_file_that_cannot_be_erased_is_named(
    native: NativeDouble, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    native.answer("take_over", taken("taken"))
    native.answer("restore", SIGNED_IN)
    with monkeypatch.context() as patch:
        # Its directory takes no change: root, which runs the tests, may do it all the same.
        patch.setattr(os, "remove", refuse)
        patch.setattr(os, "write", refuse)
        assert sessionkeeper.open(adopt_file=file).restore()
    assert native.arguments("note_handover") == {"place": str(file), "unreadable": False}
    with monkeypatch.context() as patch:
        patch.setattr(os, "remove", refuse)
        assert sessionkeeper.open(adopt_file=file).restore()
    assert (verbs(native)[3:], file.read_bytes()) == (["take_over", "restore"], b"")


class Settings:
    """Of the calling add-on; an Addon object has read them when it was made."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def Addon(self, id: str = "") -> Any:  # noqa: N802 - as Kodi calls it
        if id:
            raise RuntimeError(f"Unknown addon id '{id}'.")
        seen = dict(self.values)

        def set_one(name: str, value: str) -> None:
            seen[name] = value
            self.values = dict(seen)

        return types.SimpleNamespace(
            getSetting=lambda name: seen.get(name, ""),
            setSetting=set_one,
            getAddonInfo=lambda _: "plugin.video.mine",
        )


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = Settings(jwt_token=SECRET, refresh=SECRET, quality="auto")
    xbmcaddon: Any = types.ModuleType("xbmcaddon")
    xbmcaddon.Addon = found.Addon
    xbmcvfs: Any = types.ModuleType("xbmcvfs")
    xbmcvfs.translatePath = lambda path: path.replace("special://", "/")
    for module in (types.ModuleType("xbmc"), xbmcaddon, xbmcvfs):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    for name in ("paths", "calling_addon"):
        monkeypatch.delitem(sys.modules, f"sessionkeeper.kodi.{name}", raising=False)
        monkeypatch.delattr(sessionkeeper.kodi, name, raising=False)
        monkeypatch.delattr(sessionkeeper.kodi, name, raising=False)
    return found


@pytest.mark.parametrize(
    ("named", "cookies", "tokens"),
    [
        (["jwt_token"], [], {"access_token": SECRET}),
        (("jwt_token", "refresh_token"), [], {"access_token": SECRET}),
        (
            {"jwt_token": "access_token", "refresh": "refresh_token"},
            [],
            {"access_token": SECRET, "refresh_token": SECRET},
        ),
        ({"jwt_token": "angel_jwt"}, [given("angel_jwt")], {}),
    ],
)
def test_settings_are_taken_over_and_emptied(
    native: NativeDouble, settings: Settings, named: Any, cookies: Any, tokens: Any
) -> None:
    native.answer("take_over", taken("taken"))
    native.answer("restore", SIGNED_IN)
    keeper = sessionkeeper.open(private=True, adopt_settings=named)
    assert keeper.restore()
    assert keeper.restore()
    assert verbs(native) == ["take_over", "restore", "restore"]
    asked = native.arguments("take_over")["handed_over"]
    assert (asked["cookies"], asked["tokens"]) == (cookies, tokens)
    emptied = {name for name, value in settings.values.items() if not value}
    assert emptied == set(named) - {"refresh_token"}
    assert settings.values["quality"] == "auto"


def test_settings_stay_while_the_server_is_away(native: NativeDouble, settings: Settings) -> None:
    native.answer("take_over", error("network_error"))
    native.answer("restore", SIGNED_OUT)
    with pytest.raises(sessionkeeper.NetworkError):
        sessionkeeper.open(private=True, adopt_settings=["jwt_token"]).restore()
    assert settings.values["jwt_token"] == SECRET


def test_a_setting_that_is_written_meanwhile_stays(
    native: NativeDouble, settings: Settings
) -> None:
    def answer(_: dict[str, Any]) -> dict[str, Any]:
        settings.values["jwt_token"] = "another"
        return {"value": taken("taken")}

    native.answers["take_over"] = answer
    native.answer("restore", SIGNED_IN)
    named = {"jwt_token": "access_token", "refresh": "refresh_token"}
    assert sessionkeeper.open(private=True, adopt_settings=named).restore()
    assert (settings.values["jwt_token"], settings.values["refresh"]) == ("another", "")


def test_a_token_may_stand_as_in_its_header(native: NativeDouble, settings: Settings) -> None:
    settings.values.update(jwt_token=f"Bearer {SECRET}", refresh=f"{SECRET}\n")
    native.answer("take_over", taken("taken"))
    native.answer("restore", SIGNED_IN)
    named = {"jwt_token": "access_token", "refresh": "refresh_token"}
    assert sessionkeeper.open(private=True, adopt_settings=named).restore()
    asked = native.arguments("take_over")["handed_over"]
    assert asked["tokens"] == {"access_token": SECRET, "refresh_token": SECRET}
    assert (settings.values["jwt_token"], settings.values["refresh"]) == ("", "")


def test_a_file_and_settings_are_two_sessions(
    native: NativeDouble, settings: Settings, file: Path
) -> None:
    native.answer("take_over", taken("taken"))
    native.answer("restore", SIGNED_IN)
    keeper = sessionkeeper.open(private=True, adopt_file=file, adopt_settings=["jwt_token"])
    assert keeper.restore()
    first, second = (options for verb, options in native.started if verb == "take_over")
    assert first["handed_over"]["tokens"] == {}
    assert second["handed_over"] == {"cookies": [], "tokens": {"access_token": SECRET}}
    assert (file.exists(), settings.values["jwt_token"]) == (False, "")


def test_outside_kodi_there_are_no_settings(native: NativeDouble) -> None:
    native.answer("restore", SIGNED_OUT)
    assert sessionkeeper.open(adopt_settings=["jwt_token"]).restore() is None


@pytest.mark.parametrize("wrong", ["jwt_token", [""], [7], {"jwt_token": ""}, {"a": None}])
def test_settings_have_names(native: NativeDouble, wrong: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput):
        sessionkeeper.open(adopt_settings=wrong)
    assert native.opened == []


# The whole way


def session_file(browser: Browser, directory: Path) -> Path:
    """What the add-on of before has left: the cookies of a requests session, pickled."""
    file = directory / "angel_session.pkl"
    file.write_bytes(pickled(requests_jar(browser.jar)))
    return file


@pytest.fixture
def open_angel(angel: StandIn, tmp_path: Path) -> Callable[..., sessionkeeper.AngelStudioSession]:
    def open_it(*given: Any, **options: Any) -> sessionkeeper.AngelStudioSession:
        places = {"data_dir": tmp_path / "data", "key_dir": tmp_path / "keys"}
        return sessionkeeper.AngelStudioSession(*given, **angel.options(), **places, **options)

    return open_it


def alive(server: StandIn) -> list[Any]:
    return [one["id"] for one in server.sessions() if one["alive"]]


def logins(server: StandIn) -> int:
    return len([one for one in server.journal("/u/login") if one["method"] == "POST"])


def test_the_session_of_a_file_goes_on_without_a_login(
    angel: StandIn, browser: Browser, open_angel: Any, tmp_path: Path
) -> None:
    file = session_file(browser, tmp_path)
    (before,), asked = alive(angel), logins(angel)
    old = open_angel(session_file=str(file))
    assert old.authenticate() is True
    assert not file.exists()
    assert old.get_session().post(GRAPHQL, json=ME).json()["data"]["me"]["email"] == angel.VIEWER[0]
    # After a restart as well, and with nothing of it in the clear.
    again = open_angel(session_file=str(file))
    assert again.authenticate() is True
    assert (alive(angel), logins(angel)) == ([before], asked)
    for secret in browser.cookies().values():
        for path in tmp_path.rglob("*"):
            assert path.is_dir() or secret.encode() not in path.read_bytes(), path
    report = again.logout()
    assert (report.remote, alive(angel)) == ("revoked", [])


def test_while_the_server_is_away_the_file_stays(
    angel: StandIn, browser: Browser, open_angel: Any, tmp_path: Path
) -> None:
    file = session_file(browser, tmp_path)
    before = file.read_bytes()
    angel.stop()
    try:
        old = open_angel(session_file=str(file))
        with pytest.raises(sessionkeeper.NetworkError):
            old.authenticate()
        assert file.read_bytes() == before
    finally:
        angel.start()
    assert old.authenticate() is True
    assert not file.exists()


def test_a_file_of_a_dead_session_goes_and_the_password_serves(
    angel: StandIn, browser: Browser, open_angel: Any, tmp_path: Path
) -> None:
    file = session_file(browser, tmp_path)
    angel.end_session(alive(angel)[0])
    with pytest.raises(sessionkeeper.NotSignedIn):
        open_angel(session_file=str(file)).authenticate()
    assert not file.exists()
    assert open_angel(session_file=str(file)).authenticate(*angel.VIEWER)
    assert len(alive(angel)) == 1


def test_a_login_in_between_is_kept_and_the_old_session_ended(
    angel: StandIn, browser: Browser, open_angel: Any, tmp_path: Path
) -> None:
    file = session_file(browser, tmp_path)
    angel.fault("/auth/login", "status:503", times=1)
    with pytest.raises(sessionkeeper.UnexpectedAnswer):
        open_angel(session_file=str(file)).authenticate()
    assert open_angel(*angel.VIEWER).authenticate()
    assert len(alive(angel)) == 2
    asked = logins(angel)
    old = open_angel(session_file=str(file))
    assert old.authenticate()
    assert not file.exists()
    assert old.keeper.drain().revoked == 1
    assert (len(alive(angel)), logins(angel)) == (1, asked)


def test_a_logout_before_the_server_was_ever_reached_is_told_later(
    angel: StandIn, browser: Browser, open_angel: Any, tmp_path: Path
) -> None:
    file = session_file(browser, tmp_path)
    angel.stop()
    try:
        old = open_angel(session_file=str(file), logout_deadline=0.5)
        report = old.logout()
        assert (report.local, report.remote, file.exists()) == ("cleared", "deferred", False)
    finally:
        angel.start()
    assert len(alive(angel)) == 1
    assert old.keeper.drain().revoked == 1
    assert alive(angel) == []


def test_an_account_that_was_logged_out_stays_out_though_its_file_stays(
    angel: StandIn, browser: Browser, open_angel: Any, tmp_path: Path
) -> None:
    file = session_file(browser, tmp_path)
    copy = file.read_bytes()
    assert open_angel(session_file=str(file)).authenticate()
    file.write_bytes(copy)
    angel.stop()
    try:
        assert open_angel(session_file=str(file), logout_deadline=0.5).logout().local == "cleared"
        assert not file.exists()
        file.write_bytes(copy)
        with pytest.raises(sessionkeeper.NotSignedIn):
            open_angel(session_file=str(file)).authenticate()
    finally:
        angel.start()
    assert not file.exists()


def test_a_file_of_somebody_else_s_leaves_the_viewer_the_active_one(
    angel: StandIn, browser: Browser, open_angel: Any, tmp_path: Path
) -> None:
    file = session_file(browser, tmp_path)
    angel.add_user(*OTHER)
    assert open_angel(*OTHER).authenticate()
    old = open_angel(session_file=str(file))
    assert old.authenticate()
    assert old.get_session().account.email == OTHER[0]
    assert (len(old.keeper.accounts()), file.exists()) == (2, False)


def test_a_name_that_is_given_is_who_is_logged_in(angel: StandIn, open_angel: Any) -> None:
    angel.add_user(*OTHER)
    assert open_angel(*angel.VIEWER).authenticate()
    old = open_angel()
    assert old.authenticate(*OTHER)
    assert old.get_session().account.email == OTHER[0]
    asked = logins(angel)
    assert open_angel().authenticate(f" {OTHER[0].upper()}", OTHER[1])
    # A name alone cannot log in.
    assert open_angel().authenticate(angel.VIEWER[0])
    assert logins(angel) == asked


@pytest.mark.parametrize("kind", [http.cookiejar.MozillaCookieJar, http.cookiejar.LWPCookieJar])
def test_a_cookie_file_of_the_standard_library_is_taken_over(
    angel: StandIn, browser: Browser, open_angel: Any, tmp_path: Path, kind: Any
) -> None:
    file = tmp_path / "cookies.txt"
    jar = kind(str(file))
    for one in browser.jar:
        jar.set_cookie(one)
    jar.save(ignore_discard=True)
    (before,) = alive(angel)
    assert open_angel(session_file=str(file)).authenticate()
    assert (alive(angel), file.exists()) == ([before], False)


def test_the_cookies_of_a_browser_are_taken_over(
    angel: StandIn, browser: Browser, keeper: sessionkeeper.Keeper
) -> None:
    session = keeper.adopt(cookies=browser.jar)
    assert session.account.email == angel.VIEWER[0]
    with pytest.raises(sessionkeeper.InvalidInput):
        keeper.adopt(cookies={"some": "cookie"})
    assert keeper.logout().remote == "revoked"


def test_cookies_by_name_alone_are_logged_out_for_real_as_well(
    angel: StandIn, browser: Browser, keeper: sessionkeeper.Keeper
) -> None:
    keeper.adopt(cookies=browser.cookies())
    assert (keeper.logout().remote, alive(angel)) == ("revoked", [])


def test_a_token_alone_is_good_for_requests_until_it_ends(
    angel: StandIn, browser: Browser, keeper: sessionkeeper.Keeper
) -> None:
    token = browser.cookies()["angel_jwt_v2"]
    session = keeper.adopt(tokens={"access_token": token})
    assert (session.account.email, session.renewable) == (angel.VIEWER[0], False)
    assert session.post(GRAPHQL, json=ME).status_code == 200
    assert [line.outcome for line in keeper.audit() if line.event == "adopted"] == ["unchecked"]
    assert (keeper.logout().remote, alive(angel)) == ("revoked", [])


def test_json_is_taken_over_too(browser: Browser, open_angel: Any, tmp_path: Path) -> None:
    file = tmp_path / "session.json"
    file.write_text(json.dumps({"cookies": browser.cookies()}), "utf-8")
    assert open_angel(session_file=str(file)).authenticate()
    assert not file.exists()


def test_the_details_name_the_file(native: NativeDouble, tmp_path: Path) -> None:
    native.answer("details", {**SIGNED_OUT, **NO_TIMES})
    file = str(tmp_path / "old.pkl")
    details = sessionkeeper.AngelStudioSession(session_file=file).get_session_details()
    assert details["session_file"] == file
