"""Logging in with a code, over stand-ins for Kodi's windows: what is shown when, and what is left
behind.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from sessionkeeper.errors import Cancelled, CodeExpired, LoginDenied
from tests.kodi.shim import FakeWindow, Shim

ROWS = ["101", "010", "101"]


class Keeper:
    """A service with a code, and a viewer who does something while it is waited for."""

    def __init__(self) -> None:
        self.codes = 0
        self.meanwhile: list[Callable[[], None]] = []

    def start_device_login(self, stop: Callable[[], bool]) -> Any:
        self.codes += 1
        return SimpleNamespace(
            user_code=f"CODE-{self.codes}",
            verification_uri="https://op.example/device",
            qr=lambda: ROWS,
            remaining=lambda: 65,
            wait=self.wait,
        )

    def wait(self, stop: Callable[[], bool]) -> None:
        stop()
        self.meanwhile.pop(0)()
        if stop():
            raise Cancelled("cancelled")


@pytest.fixture
def keeper(shim: Shim, tmp_path: Path) -> Keeper:
    shim.profile = f"{tmp_path}/"
    return Keeper()


def window() -> FakeWindow:
    assert FakeWindow.shown
    return FakeWindow.shown


def pictures(shim: Shim) -> list[Path]:
    return list(Path(shim.profile).glob("*.png"))


def test_the_code_is_shown_with_a_picture_that_goes_away(shim: Shim, keeper: Keeper) -> None:
    seen: dict[int, str] = {}

    def look() -> None:
        seen.update({number: control.words for number, control in window().controls.items()})
        (picture,) = pictures(shim)
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_mode & 0o077 == 0
        assert "CODE" not in picture.name
        assert window().controls[16].image == str(picture)
        assert not window().controls[21].visible

    keeper.meanwhile = [look]
    assert shim.load("login").with_code(keeper, "Somewhere")
    assert seen[12] == "https://op.example/device"
    assert seen[14] == "CODE-1"
    assert seen[15] == f"{shim.text('code_remaining')}(1:05)"
    assert window().closed
    assert pictures(shim) == []


def test_a_new_code_is_offered_when_one_has_expired(shim: Shim, keeper: Keeper) -> None:
    def expire() -> None:
        raise CodeExpired("over")

    def press_when_offered() -> bool:
        if window().controls.get(21) and window().controls[21].visible:
            assert window().focus == 21
            assert not window().controls[30].visible
            assert pictures(shim) == []
            window().onClick(21)  # type: ignore[attr-defined]
        return False

    shim.turn = press_when_offered
    keeper.meanwhile = [expire, lambda: None]
    assert shim.load("login").with_code(keeper, "Somewhere")
    assert keeper.codes == 2
    assert window().controls[14].words == "CODE-2"


@pytest.mark.parametrize("key", [10, 92, 13])
def test_leaving_closes_at_once(shim: Shim, keeper: Keeper, key: int) -> None:
    action = SimpleNamespace(getId=lambda: key)
    keeper.meanwhile = [lambda: window().onAction(action)]  # type: ignore[attr-defined]
    with pytest.raises(Cancelled):
        shim.load("login").with_code(keeper, "Somewhere")
    assert window().closed
    assert pictures(shim) == []


def test_leaving_an_expired_code_is_no_failure(shim: Shim, keeper: Keeper) -> None:
    def expire() -> None:
        shim.turn = lambda: bool(window().onClick(22))  # type: ignore[attr-defined]
        raise CodeExpired("over")

    keeper.meanwhile = [expire]
    assert not shim.load("login").with_code(keeper, "Somewhere")
    assert window().closed


def test_kodis_end_is_obeyed(shim: Shim, keeper: Keeper) -> None:
    def end() -> None:
        shim.turn = lambda: True

    keeper.meanwhile = [end]
    with pytest.raises(Cancelled):
        shim.load("login").with_code(keeper, "Somewhere")
    assert window().closed


def test_a_refusal_is_told_after_the_window_has_closed(shim: Shim, keeper: Keeper) -> None:
    def refuse() -> None:
        raise LoginDenied("refused there")

    keeper.meanwhile = [refuse]
    assert not shim.load("login").with_code(keeper, "Somewhere")
    assert window().closed
    assert shim.told == [shim.text("error_login_denied")]


def test_pictures_of_an_earlier_run_are_removed(shim: Shim, keeper: Keeper) -> None:
    picture = shim.load("code_window")
    path = Path(picture._write_picture(ROWS))
    other = path.with_name("somebody-elses.png")
    other.write_bytes(b"")
    picture.remove_pictures()
    assert not path.exists()
    assert other.exists()
