"""The check for known holes: it finds one, and reads what OSV's files say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.kodi.test_example import packaging


@pytest.fixture
def advisories() -> Any:
    return packaging("advisories")


def test_a_version_with_a_hole_is_named(advisories: Any) -> None:
    known = advisories.tomllib.loads(advisories.LIST.read_text("utf-8"))["advisory"]
    packages = {("crates.io", "time", "0.3.45"), ("PyPI", "time", "0.3.45")}
    assert [line.split(":")[0] for line in advisories.holes(known, packages)] == [
        "time 0.3.45 has RUSTSEC-2026-0009"
    ]
    assert list(advisories.holes(known, {("crates.io", "time", "0.3.47")})) == []
    names = {package[:2] for package in advisories.locked()}
    assert {(one["ecosystem"], one["package"]) for one in known} <= names


@pytest.mark.parametrize(
    ("version", "bounds", "expected"),
    [
        ("1.10.0", ">= 1.9", True),
        ("1.9", ">= 1.9.0, < 1.10", True),
        ("1.10.0", ">= 1.9, < 1.10", False),
        ("1.10.0-alpha.1", ">= 1.9, < 1.10", True),
        ("0.103.13", ">= 0.104.0-alpha.1, < 0.104.0-alpha.7", False),
        ("1.1.2+spec-1.1.0", "<= 1.1.2", True),
    ],
)
def test_bounds(advisories: Any, version: str, bounds: str, expected: bool) -> None:
    assert advisories.is_within(version, bounds) is expected


def test_what_osv_says_is_read(advisories: Any, tmp_path: Path) -> None:
    events = [{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2"}, {"last_affected": "2.5"}]
    ranges = [
        {"type": "SEMVER", "events": events},
        {"type": "GIT", "events": [{"introduced": "x"}]},
    ]
    said: dict[str, Any] = {
        "id": "RUSTSEC-1",
        "affected": [
            {"package": {"ecosystem": "crates.io", "name": "time"}, "ranges": ranges},
            {"package": {"ecosystem": "crates.io", "name": "nobody-has-it"}, "ranges": ranges},
        ],
    }
    file = tmp_path / "RUSTSEC-1.json"
    file.write_text(json.dumps(said))
    assert list(advisories.read(file, {("crates.io", "time")})) == [
        {
            "id": "RUSTSEC-1",
            "ecosystem": "crates.io",
            "package": "time",
            "affected": [">= 0, < 1.2", ">= 2, <= 2.5"],
        }
    ]
    file.write_text(json.dumps({**said, "withdrawn": "2026-01-01T00:00:00Z"}))
    assert list(advisories.read(file, {("crates.io", "time")})) == []
