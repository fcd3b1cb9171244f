"""A provider definition as a dictionary: what is written is TOML that says the same."""

from __future__ import annotations

from typing import Any

import pytest

import sessionkeeper
from sessionkeeper.provider import toml_text

DEFINITION = {
    "id": "example",
    "name": 'Exämple "quoted" \\ and\nmore\t\x00\x7f',
    "enabled": True,
    "off": False,
    "limit": 3,
    "share": 0.5,
    "hosts": ["www.example.com", "auth.example.com"],
    "empty": [],
    "nothing": {},
    "login": {"pages": [{"url": "https://www.example.com/", "fields": {"a b": "x", "": "y"}}, {}]},
    "mixed": [[1, 2], [{"a": [{"b": 1}]}, "x"]],
    "logout": {"method": "GET", "proof": {"status": [302], "delete": ["jwt"]}, "last": 1},
}


def test_it_reads_back_as_it_was() -> None:
    tomllib = pytest.importorskip("tomllib", reason="the standard library reads TOML since 3.11")
    assert tomllib.loads(toml_text(DEFINITION)) == DEFINITION


def test_plain_values_stand_before_tables() -> None:
    text = toml_text({"table": {"a": 1}, "id": "x"})
    assert text == 'id = "x"\n[table]\na = 1\n'


def test_a_value_cannot_end_its_line() -> None:
    assert toml_text({"id": 'x"\nname = "y'}) == 'id = "x\\"\\nname = \\"y"\n'


@pytest.mark.parametrize(
    ("definition", "where"),
    [
        ({"logout": {"status": None}}, "logout.status"),
        ({"pages": [{"url": b"https://"}]}, "pages.url"),
        ({"hosts": ["a", object()]}, "hosts"),
        ({"login": {1: "x"}}, "login"),
        ({1: "x"}, "the definition"),
        ({"list": ["x", {2: "y"}]}, "list"),
        ({"name": "\ud800"}, "name"),
    ],
)
def test_what_toml_cannot_say_is_refused_by_its_key(definition: Any, where: str) -> None:
    with pytest.raises(sessionkeeper.InvalidProvider, match=where):
        toml_text(definition)
