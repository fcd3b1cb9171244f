"""`providers check` by the real module: for each typical mistake, the problem names the key, the
line is that of the mistake, and the hint says what would be right.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import cli
from tests.python.provider_mistakes import GOOD, MISTAKES, Mistake, between


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "service.toml"


def test_the_file_without_a_mistake_is_right(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    found = sessionkeeper.check_provider(file)
    assert found.usable
    assert found.advice == ()
    assert "https://api.example.com/login" in found.summary[0]


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_explained_everywhere_in_the_same_words(
    mistake: Mistake, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(mistake.text, encoding="utf-8")
    for given in ({}, {"base": "https://shop.example.com:8443/a/long/way/"}):
        (problem,) = sessionkeeper.check_provider(file, given).problems
        assert (problem.key, problem.line) == (mistake.key, mistake.number)
        assert mistake.message in problem.message
        assert re.search(mistake.hint, problem.hint), problem.hint

    assert cli.main(["providers", "check", str(file)]) == 2
    first, hint, last = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{file}:{mistake.number}: ")
    assert mistake.message in first
    assert re.search(mistake.hint, hint)
    assert last == "1 problem keeps this file from being used."

    given = {"base": "https://api.example.com"}
    (problem,) = sessionkeeper.check_provider(file).problems
    with pytest.raises(sessionkeeper.InvalidProvider) as caught:
        sessionkeeper.open(file, parameters=given, data_dir=tmp_path / "data")
    assert problem.message in caught.value.message
    assert problem.key in caught.value.message
    assert caught.value.hint == problem.hint
    assert not (tmp_path / "data").exists()


# What is not a matter of one key


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({"bass": "https://a.example.com"}, "no parameter 'bass'", "It has: base"),
        ({"base": "https://a.example.com/x y"}, "'base' contains characters", "without spaces"),
        ({"base": 'x"\nid = "y'}, "'base' contains characters", "quotes"),
        ({"base": "http://api.example.com"}, "only https is used", "https://"),
        ({"base": "api.example.com"}, "is not an address in full", "provider-keys.md"),
    ],
)
def test_values_that_do_not_fit(given: dict[str, str], message: str, hint: str, file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    (problem,) = sessionkeeper.check_provider(file, given).problems
    assert message in problem.message
    assert hint in problem.hint


def test_a_parameter_without_a_value_hides_no_mistake(file: Path, tmp_path: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    with pytest.raises(
        sessionkeeper.ParameterMissing, match="the address of the service"
    ) as caught:
        sessionkeeper.open(file, data_dir=tmp_path / "data")
    assert "https://api.example.com" in caught.value.hint
    file.write_text(GOOD.replace('flow = "list"', 'flow = "lists"'), encoding="utf-8")
    (problem,) = sessionkeeper.check_provider(file).problems
    assert problem.key == "everywhere"


def test_a_parameter_of_a_name_that_is_taken(file: Path) -> None:
    file.write_text(GOOD.replace("base", "username"), encoding="utf-8")
    (problem,) = sessionkeeper.check_provider(file).problems
    assert (problem.key, problem.line) == ("parameters.username", 10)
    assert "lower-case" in problem.hint


@pytest.mark.parametrize(
    ("data", "message", "line"),
    [
        (b"", "missing", 1),
        (b'{"id": "example"}', "key", 1),
        (GOOD.encode("utf-16"), "not UTF-8", 1),
        (GOOD.encode().replace(b'"Example"', b'"Ex\xe4mple"'), "not UTF-8", 3),
        (GOOD.encode() + b"#" + b"x" * (256 << 10), "over 256 KiB", 0),
    ],
    ids=["empty", "JSON", "UTF-16", "Latin-1", "large"],
)
def test_what_is_no_provider_file(data: bytes, message: str, line: int, file: Path) -> None:
    file.write_bytes(data)
    (problem,) = sessionkeeper.check_provider(file).problems
    assert message in problem.message
    assert problem.line == line
    assert problem.hint


@pytest.mark.parametrize("change", [lambda t: "\ufeff" + t, lambda t: t.replace("\n", "\r\n")])
def test_marks_and_line_ends_of_other_systems_do_no_harm(change: Any, file: Path) -> None:
    file.write_bytes(change(GOOD).encode())
    assert sessionkeeper.check_provider(file).usable
    mistake = MISTAKES["nearly right, in a table with a flow"]
    file.write_bytes(change(mistake.text).encode())
    (problem,) = sessionkeeper.check_provider(file).problems
    assert problem.line == mistake.number


@pytest.mark.parametrize(
    ("right", "wrong", "advice"),
    [
        (between("[renew]", "[[logout.steps]]"), "", "logs in again"),
        (
            'json = { token = "{refresh_token}" }',
            'needs_cookie = "keep"',
            "",
        ),
    ],
)
def test_what_is_likely_to_be_a_mistake_is_advised(
    right: str, wrong: str, advice: str, file: Path
) -> None:
    text = GOOD.replace(right, wrong)
    if not advice:
        text = text.replace('json = { "/success" = true }', 'deletes = [["access"]]')
        advice = "does not ask for the deletion of 'keep'"
    file.write_text(text, encoding="utf-8")
    found = sessionkeeper.check_provider(file)
    assert found.usable, found.problems
    assert any(advice in line for line in found.advice), found.advice
