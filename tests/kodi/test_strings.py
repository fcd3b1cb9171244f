"""Every text has an id, every id has a text, and all of them are used. Needs no Kodi."""

from __future__ import annotations

import ast
import json
import re
import xml.etree.ElementTree as ET
from typing import Iterator

from sessionkeeper import errors, reports
from sessionkeeper.kodi.strings import IDS
from tests.kodi.staging import ROOT

KODI_PACKAGE = ROOT / "python" / "sessionkeeper" / "kodi"
STRINGS = ROOT / "resources" / "language" / "resource.language.en_gb" / "strings.po"
SETTINGS = ROOT / "resources" / "settings.xml"
# The schema of what the compiled module gives.
BOUNDARY = ROOT / "tests" / "python" / "boundary.json"
# Names that are put together from a word of the keeper.
FAMILIES = (
    *("error_", "event_", "outcome_", "everything_", "signed_out", "already_signed_out"),
    *("question_", "way_"),
)


def translations() -> dict[int, str]:
    entries = re.findall(
        r'^msgctxt "#(\d+)"\nmsgid "(.+)"\nmsgstr ""$', STRINGS.read_text("utf-8"), re.MULTILINE
    )
    found = {int(number): words for number, words in entries}
    assert len(found) == len(entries), "an id is there twice"
    return found


def nodes() -> Iterator[ast.AST]:
    """The code of the Kodi side, apart from the table itself."""
    for file in sorted(KODI_PACKAGE.glob("*.py")):
        if file.name != "strings.py":
            yield from ast.walk(ast.parse(file.read_text("utf-8")))


def asked_for() -> Iterator[tuple[str, bool]]:
    """The names that are written in calls of `text`, and whether they get values."""
    for node in nodes():
        called = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if called == "text" and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value), bool(node.keywords)


def in_settings() -> set[int]:
    """The ids that settings.xml names."""
    tree = ET.parse(SETTINGS)
    named = [one.get(key) for one in tree.iter() for key in ("label", "help")]
    named += [one.text for one in tree.iter("heading")]
    return {int(number) for number in named if number}


def test_every_translation_is_named_by_the_table_or_the_settings() -> None:
    ids = list(IDS.values())
    assert len(set(ids)) == len(ids)
    assert in_settings()
    assert set(ids) | in_settings() == set(translations())


def test_ids_are_in_the_range_that_kodi_leaves_to_addons() -> None:
    assert all(30000 <= number <= 30999 for number in translations())


def test_every_name_in_the_code_exists() -> None:
    named = {name for name, _ in asked_for()}
    assert named
    assert named <= set(IDS)


def test_every_name_is_used() -> None:
    written = {node.value for node in nodes() if isinstance(node, ast.Constant)}
    # A setting of a parameter lends its label to the question for it.
    labels = {name for name, number in IDS.items() if number in in_settings()}
    unused = set(IDS) - written - labels
    assert {name for name in unused if not name.startswith(FAMILIES)} == set()


def test_every_error_code_has_a_text() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.code for kind in kinds if issubclass(kind, errors.Error)}
    assert len(codes) > 1
    assert {f"error_{code}" for code in codes} <= set(IDS)


def test_every_event_of_the_audit_trail_has_a_text() -> None:
    events = json.loads(BOUNDARY.read_text("utf-8"))["Event"]["enum"]
    assert {f"event_{event}" for event in events} <= set(IDS)


def test_every_outcome_of_a_logout_has_a_text() -> None:
    assert {*reports._SUMMARIES.values(), "already_signed_out"} <= set(IDS)


def test_placeholders_are_filled() -> None:
    """A text with a placeholder is never asked for without a value."""
    words = translations()
    with_values = {name for name, number in IDS.items() if "{" in words[number]}
    assert not with_values & {name for name, has_values in asked_for() if not has_values}
