"""The parts of the Kodi shim that need no Kodi: the proxy, the log's escapes, times, the guard, the
settings file, the entry points.

Kodi's modules are stood in for by plain objects that say what Kodi would.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable, Dict

import pytest

from sessionkeeper.errors import InvalidInput, StorageError
from tests.kodi.shim import Shim


@pytest.mark.parametrize(
    ("kind", "scheme"),
    list(enumerate(["http", "socks4", "socks4a", "socks5", "socks5h", "https"])),
)
def test_kodis_proxy_becomes_a_url(shim: Shim, kind: int, scheme: str) -> None:
    shim.kodi_settings = {
        "usehttpproxy": True,
        "httpproxytype": kind,
        "httpproxyserver": "proxy.example",
        "httpproxyport": 3128,
        "httpproxyusername": "",
    }
    assert shim.load("proxy").chosen("kodi", "") == f"{scheme}://proxy.example:3128"


def test_kodis_proxy_password_is_percent_encoded(shim: Shim) -> None:
    shim.kodi_settings = {
        "usehttpproxy": True,
        "httpproxytype": 0,
        "httpproxyserver": "2001:db8::1",
        "httpproxyport": 8080,
        "httpproxyusername": "a@b",
        "httpproxypassword": "p:/ä",
    }
    url = shim.load("proxy").chosen("kodi", "")
    assert url == "http://a%40b:p%3A%2F%C3%A4@[2001:db8::1]:8080"


def test_without_a_proxy_in_kodi_the_environment_decides(shim: Shim) -> None:
    shim.kodi_settings = {"usehttpproxy": False, "httpproxyserver": "proxy.example"}
    assert shim.load("proxy").chosen("kodi", "") == "system"


@pytest.mark.parametrize(
    ("mode", "address", "expected"),
    [
        ("none", "http://proxy.example:1", "none"),
        ("own", "", "none"),
        ("own", " proxy.example:3128 ", "http://proxy.example:3128"),
        ("own", "socks5h://proxy.example:1080", "socks5h://proxy.example:1080"),
    ],
)
def test_the_other_proxy_modes(shim: Shim, mode: str, address: str, expected: str) -> None:
    assert shim.load("proxy").chosen(mode, address) == expected


def test_a_password_in_the_own_address_is_refused_and_not_repeated(shim: Shim) -> None:
    proxy = shim.load("proxy")
    address = "http://somebody:keep-me-secret@proxy.example:3128"
    with pytest.raises(InvalidInput) as refusal:
        proxy.chosen("own", address)
    assert "keep-me-secret" not in f"{refusal.value} {refusal.value.hint}"
    assert proxy.without_password(address) == "http://proxy.example:3128"


def test_log_lines_are_one_line_and_hold_no_nul(shim: Shim) -> None:
    shim.load("log").write(2, "one\0two\nthree\r\x7f ä")
    assert shim.log == [("script.sessionkeeper: one\\x00two\\x0athree\\x0d\\x7f ä", 2)]


def test_the_keepers_lines_are_forwarded_with_their_level(shim: Shim) -> None:
    lines = [(0, "debug"), (3, "error"), (9, "beyond")]
    shim.load("log").forward(SimpleNamespace(take_log=lambda: lines))
    assert [level for _, level in shim.log] == [0, 3, 3]


def test_the_guard_names_the_place_and_never_the_words(shim: Shim) -> None:
    def fail() -> None:
        raise ValueError("keep-me-secret")

    described = description_of(fail, shim.load("error_boundary").describe)
    assert described.startswith("ValueError at test_shim.py:")
    assert " fail" in described
    assert "keep-me-secret" not in described


def description_of(work: Callable[[], None], describe: Callable[[BaseException], str]) -> str:
    try:
        work()
    except ValueError as error:
        return describe(error)
    raise AssertionError("it did not fail")


def test_a_profile_on_a_share_is_refused_without_naming_its_password(shim: Shim) -> None:
    shim.profile = "smb://somebody:keep-me-secret@nas/kodi/"
    with pytest.raises(StorageError) as refusal:
        shim.load("paths").data_directory("script.other")
    assert "keep-me-secret" not in str(refusal.value)


@pytest.fixture
def settings_file(shim: Shim, tmp_path: Path) -> Path:
    shim.profile = f"{tmp_path}/"
    file = tmp_path / "addon_data" / "script.sessionkeeper" / "settings.xml"
    file.parent.mkdir(parents=True)
    file.write_text("<settings ver")
    return file


def test_settings_that_are_being_written_are_read_again(shim: Shim, settings_file: Path) -> None:
    contents = ["", "<settings>", "<settings>\n</settings>\n"]

    def read() -> str:
        if contents:
            settings_file.write_text(contents.pop(0))
        return "angel"

    shim.read = read
    shim.load("settings_file").Settings()
    assert contents == []
    assert settings_file.read_text() == "<settings>\n</settings>\n"
    assert shim.told == []


class Forgetful(Dict[str, str]):
    """The settings of a Kodi that does not know them so many times."""

    failures = 0

    def get(self, name: str, default: Any = None) -> Any:
        if self.failures:
            self.failures -= 1
            raise TypeError("Invalid setting type")
        return super().get(name, default)


def test_a_setting_that_kodi_does_not_know_just_now_is_asked_for_again(shim: Shim) -> None:
    shim.settings = forgetful = Forgetful(log_level="debug")
    settings = shim.load("settings_file").Settings()
    forgetful.failures = 5
    assert (settings.text("log_level"), forgetful.failures) == ("debug", 0)
    forgetful.failures = 1000
    with pytest.raises(StorageError):
        settings.text("log_level")


def test_settings_that_somebody_still_writes_are_left_alone(
    shim: Shim, settings_file: Path
) -> None:
    def read() -> str:
        settings_file.write_text(settings_file.read_text() + "x")
        return "the default"

    shim.read = read
    with pytest.raises(StorageError):
        shim.load("settings_file").Settings()
    assert settings_file.exists()


def test_a_shim_that_cannot_be_imported_is_a_dialog_for_a_script_only(
    shim: Shim, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = shim.load("main")
    monkeypatch.setitem(sys.modules, "sessionkeeper.kodi.error_boundary", None)
    main.run_service()
    assert shim.told == []
    main.run_script(["logout"])
    assert shim.told == ["#30220"]
    assert shim.load("strings").IDS["error_native_module_missing"] == 30220
    assert len([line for line, _ in shim.log if "cannot start: " in line]) == 2


def test_pictures_of_an_earlier_run_are_removed_and_no_others(shim: Shim, tmp_path: Path) -> None:
    shim.profile = f"{tmp_path}/"
    picture = shim.load("code_window")
    path = Path(picture._write_picture(["101", "010", "101"]))
    other = path.with_name("somebody-elses.png")
    other.write_bytes(b"")
    picture.remove_pictures()
    assert not path.exists()
    assert other.exists()


def test_the_window_of_a_code_asks_shows_expires_and_asks_again(shim: Shim, tmp_path: Path) -> None:
    shim.profile = f"{tmp_path}/"
    pictures = shim.load("code_window")
    windows: list[Any] = []
    shim.does = windows.append
    login = SimpleNamespace(
        verification_uri="https://a.example/device",
        user_code="WDJB-MJHT",
        qr=lambda: ["101", "010", "101"],
        remaining=lambda: 61,
    )
    with pictures.CodeWindow("Service") as window:
        window.show_asking()
        assert shim.shown[pictures.MESSAGE] == f"{shim.text('code_asking')}(Service)"
        assert pictures.ADDRESS_AND_CODE in shim.hidden
        window.show_code(login)
        assert (shim.shown[pictures.CODE], shim.focus) == ("WDJB-MJHT", pictures.CANCEL)
        assert shim.hidden == {pictures.NEW_CODE}
        assert not window.stopped()
        assert shim.shown[pictures.REMAINING] == f"{shim.text('code_remaining')}(1:01)"
        assert len(list(tmp_path.iterdir())) == 1
        window.show_expired()
        assert (shim.focus, list(tmp_path.iterdir())) == (pictures.NEW_CODE, [])
        windows[0].onClick(pictures.NEW_CODE)
        assert window.wait_for_new_code()
        # The button's work is done; the next code is waited for.
        window.show_asking()
        assert not window.stopped()
        window.show_code(login)
        windows[0].onClick(pictures.CANCEL)
        assert window.stopped()
        assert not window.wait_for_new_code()
        assert list(tmp_path.iterdir()) == []
    assert shim.visible == ""


def test_a_progress_bar_fills_up_with_the_time(shim: Shim, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((100.0, 100.0, 102.5, 109.99, 130.0))
    dialogs = shim.load("dialogs")
    monkeypatch.setattr(dialogs, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    with dialogs.Progress("", "", 10.0) as progress:
        assert [progress.stopped() for _ in range(4)] == [False] * 4
    assert shim.percents == [0, 25, 99, 100]


def test_a_progress_bar_fills_up_with_what_is_done(shim: Shim) -> None:
    with shim.load("dialogs").Progress("", "", 10.0) as progress:
        for done in (0, 1, 3):
            progress.count(done, 3)
            assert not progress.stopped()
    assert shim.percents == [0, 33, 100]


def test_times_are_in_the_two_largest_units(shim: Shim) -> None:
    times = shim.load("times")
    for seconds, name, values in (
        (-1, "remaining_over", ""),
        (120, "remaining_minutes", "(2)"),
        (7500, "remaining_hours", "(2, 5)"),
        (200000, "remaining_days", "(2, 7)"),
    ):
        assert times.remaining(1000 + seconds, now=1000) == shim.text(name) + values


def test_the_time_is_told_where_the_day_alone_says_little(shim: Shim) -> None:
    times = shim.load("times")
    assert times.near(1800, now=0) == times.date_and_time(1800)
    assert times.near(200000, now=0) == times.date(200000)


def test_doubled_hours_in_kodis_time_format_mean_one(shim: Shim) -> None:
    assert shim.load("times").date_and_time(0).count(":") == 2
    assert len(shim.load("times").date_and_time(0)) == len("1970-01-01 00:00:00")
