"""Every text has an id, every id has a text, and all of them are used. Needs no Kodi."""

from __future__ import annotations

import ast
import re

from sessionkeeper import errors, records
from tests.kodi.staging import ROOT

KODI_PACKAGE = ROOT / "python" / "sessionkeeper" / "kodi"
STRINGS = ROOT / "resources" / "language" / "resource.language.en_gb" / "strings.po"
SETTINGS = ROOT / "resources" / "settings.xml"
# Names that are put together from a word of the keeper.
FAMILIES = ("error_", "event_", "outcome_", "signed_out", "already_signed_out")


def table() -> dict[str, int]:
    """IDS of strings.py, read without importing Kodi's modules."""
    for node in ast.parse((KODI_PACKAGE / "strings.py").read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "IDS":
            found: dict[str, int] = ast.literal_eval(node.value)
            return found
    raise AssertionError("no table of ids")


def translations() -> dict[int, str]:
    entries = re.findall(
        r'^msgctxt "#(\d+)"\nmsgid "(.+)"\nmsgstr ""$', STRINGS.read_text("utf-8"), re.MULTILINE
    )
    found = {int(number): words for number, words in entries}
    assert len(found) == len(entries), "an id is there twice"
    return found


def source(*without: str) -> str:
    files = [file for file in sorted(KODI_PACKAGE.glob("*.py")) if file.name not in without]
    return "\n".join(file.read_text("utf-8") for file in files)


def test_table_and_translations_name_the_same_ids() -> None:
    ids = list(table().values())
    assert len(set(ids)) == len(ids)
    assert set(ids) == set(translations())


def test_ids_are_in_the_range_that_kodi_leaves_to_addons() -> None:
    assert all(30000 <= number <= 30999 for number in table().values())


def test_settings_name_only_known_ids() -> None:
    named = {
        int(number)
        for number in re.findall(
            r'(?:label|help)="(\d+)"|<heading>(\d+)<', SETTINGS.read_text("utf-8")
        )
        for number in number
        if number
    }
    assert named
    assert named <= set(translations())


def test_every_name_in_the_code_exists() -> None:
    named = set(re.findall(r'text\(\s*["\'](\w+)["\']', source("strings.py")))
    assert named
    assert named <= set(table())


def test_every_string_is_used() -> None:
    code, shown = source("strings.py"), SETTINGS.read_text("utf-8")
    unused = [
        name
        for name, number in table().items()
        if not re.search(rf"\W{name}\W", code)
        and str(number) not in shown
        and not name.startswith(FAMILIES)
    ]
    assert unused == []


def test_every_error_code_has_a_text() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.code for kind in kinds if issubclass(kind, errors.Error)}
    assert len(codes) > 1
    assert {f"error_{code}" for code in codes} <= set(table())


def test_every_event_of_the_audit_trail_has_a_text() -> None:
    words = (ROOT / "src" / "audit.rs").read_text("utf-8")
    events = set(re.findall(r'Event::\w+ => "(\w+)"', words))
    assert events
    assert {f"event_{event}" for event in events} <= set(table())


def test_every_outcome_of_a_logout_has_a_text() -> None:
    assert {*records._SUMMARIES.values(), "already_signed_out"} <= set(table())


def test_placeholders_are_filled() -> None:
    """A text with a placeholder is never asked for without a value."""
    ids = {number: name for name, number in table().items()}
    with_values = {ids[number] for number, words in translations().items() if "{" in words}
    bare = set(re.findall(r'text\("(\w+)"\)', source("strings.py")))
    assert not bare & with_values
