"""What a service asks besides the name and the password, on Kodi's keyboards. Needs no Kodi."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Callable

import pytest

from sessionkeeper import AnswerRefused, Cancelled, CodeExpired, Question
from tests.kodi.shim import Shim

SERVICE = "Example"


class Keeper:
    """One whose logins go as the test says: a list of what each asks, then what it comes to."""

    def __init__(self, *logins: list[Any]) -> None:
        self.logins = list(logins)
        self.given: list[tuple[str, str]] = []
        self.answers: list[str | None] = []

    def unencrypted(self) -> list[str]:
        return []

    def login(
        self, name: str, password: str, *, answer: Callable[[Question], str | None], stop: Any
    ) -> Any:
        self.given.append((name, password))
        *questions, end = self.logins.pop(0)
        for question in questions:
            self.answers.append(answer(question))
            if self.answers[-1] is None:
                raise Cancelled("the login was given up")
        assert not stop()
        if isinstance(end, Exception):
            raise end
        return end


def question(kind: str, tries_left: int = 3, *, again: bool = False) -> Question:
    return Question(kind, "the name of [your] first pet", tries_left, again, 4102444800)


@pytest.fixture
def login(shim: Shim) -> Any:
    module = shim.load("login")
    module.settings = SimpleNamespace(longest_wait=lambda: 60.0)
    return module


@pytest.mark.parametrize(
    ("kind", "is_numeric", "hides"),
    [
        ("totp", True, False),
        ("sms", True, False),
        ("pin", True, True),
        ("mail", False, False),
        ("text", False, False),
    ],
)
def test_each_kind_has_its_keyboard(
    shim: Shim, login: Any, kind: str, is_numeric: bool, hides: bool
) -> None:
    shim.types = ["viewer", "word", "123456"]
    keeper = Keeper([question(kind), "a session"])
    assert login.with_password(keeper, SERVICE) == "a session"
    heading, *how = shim.keyboards[2]
    assert how == [is_numeric, hides, False], "no progress bar is in the way of the keys"
    about = "the name of (your) first pet" if kind == "text" else shim.text(f"question_{kind}")
    assert heading == f"{SERVICE}: {about}"
    assert keeper.answers == ["123456"]
    assert not shim.shows_progress


def test_a_wrong_answer_is_asked_for_again(shim: Shim, login: Any) -> None:
    shim.types = ["viewer", "word", "1", "2"]
    keeper = Keeper([question("totp"), question("totp", 2, again=True), "a session"])
    assert login.with_password(keeper, SERVICE) == "a session"
    again = f"{shim.text('question_again')}({shim.text('question_totp')})"
    assert shim.keyboards[3][0] == again


def test_who_leaves_the_keyboard_gives_the_login_up(shim: Shim, login: Any) -> None:
    shim.types = ["viewer", "word", ""]
    keeper = Keeper([question("totp"), "a session"])
    with pytest.raises(Cancelled):
        login.with_password(keeper, SERVICE)
    assert keeper.answers == [None]
    assert not shim.shows_progress


@pytest.mark.parametrize(
    "error", [AnswerRefused("not accepted"), CodeExpired("not answered in time")]
)
def test_what_was_typed_before_survives_a_question_that_went_wrong(
    shim: Shim, login: Any, error: Exception
) -> None:
    shim.types = ["viewer", "word", "1", "2"]
    keeper = Keeper([question("totp"), error], [question("totp"), "a session"])
    assert login.with_password(keeper, SERVICE) == "a session"
    assert keeper.given == [("viewer", "word")] * 2
    told = shim.asked[0]
    words = shim.text("error_answer_refused")
    assert told[1] == (words if isinstance(error, AnswerRefused) else "not answered in time")
    shim.types, shim.confirms = ["viewer", "word", "1"], False
    assert login.with_password(Keeper([question("totp"), error]), SERVICE) is None
