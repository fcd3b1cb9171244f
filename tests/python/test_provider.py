"""Provider definitions: what is checked, and how it is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import cli
from tests.python.native_double import ANGEL, CHECK, NativeDouble

PROBLEM = {
    "key": "logout.url",
    "message": "only https is used: http://www.example.com",
    "hint": "Write it with https://",
    "line": 12,
}
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "service.toml"
    file.write_text('name = "Zoë"\n', encoding="utf-8")
    return file


def test_a_file_is_checked_with_its_parameters(native: NativeDouble, file: Path) -> None:
    found = sessionkeeper.check_provider(file, {"base": "https://a"})
    assert native.checked == [('name = "Zoë"\n', {"base": "https://a"})]
    assert found.usable
    assert native.opened == []
    native.check_answer = {**CHECK, "problems": [PROBLEM]}
    found = sessionkeeper.check_provider(str(file))
    assert not found.usable
    assert found.problems[0].line == 12
    assert native.checked[1][1] == {}


def test_a_dictionary_is_checked_as_it_is(native: NativeDouble) -> None:
    sessionkeeper.check_provider({"id": "mine"})
    assert native.checked == [({"id": "mine"}, {})]


@pytest.mark.parametrize("given", ["", "/no/such.toml", "a\0b", 3, None])
def test_a_file_that_cannot_be_read(native: NativeDouble, given: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="provider file"):
        sessionkeeper.check_provider(given)
    assert native.checked == []


def test_another_encoding_is_a_problem_with_its_line(native: NativeDouble, file: Path) -> None:
    file.write_bytes(b'id = "x"\nname = "Zo\xeb"\n')
    (problem,) = sessionkeeper.check_provider(file).problems
    assert (problem.line, problem.message) == (2, "the text is not UTF-8")


def test_problems_are_told_where_an_editor_finds_them(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    unknown = {"key": "", "message": "no\tway", "hint": "", "line": 0}
    native.check_answer = {**CHECK, "problems": [PROBLEM, unknown], "advice": ["Add a proof."]}
    check = ["--parameter", "base=https://a?b=c", "providers", "check", str(file)]
    assert cli.main(check) == 2
    assert capsys.readouterr().out.splitlines() == [
        f"{file}:12: logout.url: only https is used: http://www.example.com",
        "    Write it with https://",
        f"{file}: no?way",
        "Advice: Add a proof.",
        "2 problems keep this file from being used.",
    ]
    assert native.checked[0][1] == {"base": "https://a?b=c"}
    assert cli.main([*check, "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == native.check_answer


def test_a_file_without_problems(
    native: NativeDouble, capsys: pytest.CaptureFixture[str], file: Path
) -> None:
    native.check_answer = {**CHECK, "summary": ["Logs in through a form."]}
    assert cli.main(["providers", "check", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Logs in through a form.",
        f"No problems: this file can be used as --provider {file}",
    ]


def test_a_missing_file_is_a_usage_error(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["providers", "check", "/no/such.toml", "--json"]) == 2
    shown = json.loads(capsys.readouterr().out)["error"]
    assert shown["code"] == "invalid_input"
    assert shown["message"] == "The provider file cannot be read: No such file or directory."
    with pytest.raises(SystemExit) as caught:
        cli.main(["providers", "check"])
    assert caught.value.code == 2


def test_the_catalogue_tells_what_is_left_open(
    native: NativeDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    base = {
        "name": "base",
        "about": "the address",
        "example": "https://a",
        "default": None,
        "secret": False,
    }
    suffix = {
        "name": "suffix",
        "about": "the end",
        "example": "-ACT",
        "default": "-NON",
        "secret": False,
    }
    native.summaries = [
        {**ANGEL, "logins": ["device_code", "password"], "parameters": [base, suffix]}
    ]
    assert cli.main(["providers"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "angel  Angel Studios  https://www.angel.com"
        "  (logs in with a code or with a name and a password)",
        "    --parameter base=https://a  the address",
        "    --parameter suffix=-ACT  the end; by default -NON",
    ]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "resources" / "providers").glob("*.toml")), ids=lambda path: path.stem
)
def test_the_module_finds_nothing_wrong_in_what_is_built_in(path: Path) -> None:
    found = sessionkeeper.check_provider(path)
    assert found.problems == ()
    assert found.id == path.stem
    assert found.summary


# A dictionary, by the real module


def changed(path: str, value: Any) -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib", reason="the standard library reads TOML since 3.11")
    text = (ROOT / "resources" / "providers" / "angel.toml").read_text(encoding="utf-8")
    definition: dict[str, Any] = tomllib.loads(text)
    *parents, last = path.split(".")
    table = definition
    for name in parents:
        table = table[name]
    table[last] = value
    return definition


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [("logout.steps", None, "logout.steps"), ("login.1", "x", "login.1")],
)
def test_what_a_definition_cannot_hold_is_refused_by_its_key(
    path: str, value: Any, key: str
) -> None:
    (problem,) = sessionkeeper.check_provider(changed(path, value)).problems
    assert (problem.key, problem.line) == (key, 0)
    assert problem.hint


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("website", b"https://"),
        ("hosts", ["www.angel.com", object()]),
        ("name", "\ud800"),
        ("renew", {1: "x"}),
    ],
)
def test_what_is_not_plain_data_does_not_cross(path: str, value: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match=f"^{path}: "):
        sessionkeeper.check_provider(changed(path, value))


def test_a_dictionary_says_the_same_as_its_file(tmp_path: Path) -> None:
    name = 'Exämple "quoted" \\ and more 例え'
    definition = changed("name", name)
    assert sessionkeeper.check_provider(definition).name == name
    keeper = sessionkeeper.open(definition, data_dir=tmp_path / "data", key_dir=tmp_path / "keys")
    assert keeper.status().provider == "angel"
    del definition["login"]
    with pytest.raises(sessionkeeper.InvalidProvider, match="missing field `login`"):
        sessionkeeper.open(definition, data_dir=tmp_path / "data")
