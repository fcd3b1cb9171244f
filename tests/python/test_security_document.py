"""SECURITY.md names, for each line of the standards, a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTS = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("## What the standards ask")[2]
LINES = [
    line
    for line in LISTS.partition("\n## ")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| section")
]
NAMED = re.findall(r"`((?:src|tests)/[\w/]+\.(?:rs|py)): (\w+)`", LISTS)


def test_each_line_has_a_test_or_a_reason() -> None:
    assert len(LINES) > 40
    for line in LINES:
        kept = line.split(" | ")[2]
        assert re.search(r"`(src|tests)/", kept) or "does not apply" in kept, line


@pytest.mark.parametrize(("file", "name"), sorted(set(NAMED)))
def test_the_test_is_there(file: str, name: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    if file.endswith(".rs"):
        assert re.search(rf"#\[test\]\s+fn {name}\(", text)
    else:
        assert re.search(rf"^def {name}\(", text, re.MULTILINE)
