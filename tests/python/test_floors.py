"""The floors of the house: every floor uses only floors below it.

Reads the sources as text and as syntax trees; runs nothing of them. A new room must be given a
floor here and in lib.rs, top down. Rooms on the floors marked apart do not know each other; on the
two lowest they may.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PACKAGE = ROOT / "python" / "sessionkeeper"

# Top down. True: the rooms of this floor do not know each other.
FLOORS: list[tuple[bool, set[str]]] = [
    (True, {"lib"}),
    (True, {"python"}),
    (True, {"catalogue", "verb"}),
    (True, {"operation"}),
    (True, {"keeper"}),
    (True, {"login", "logout"}),
    (True, {"oauth"}),
    (True, {"user_files", "backoff", "context"}),
    (True, {"vault", "http"}),
    (True, {"session"}),
    (True, {"cookies"}),
    (True, {"provider"}),
    (False, {"audit", "events", "redact", "log"}),
    (False, {"secret", "clock", "cancel", "error", "lock", "plain"}),
]
FLOOR_OF = {room: number for number, (_, rooms) in enumerate(FLOORS) for room in rooms}

# Who may import Kodi's modules: the rooms of `kodi`, and the two scripts that Kodi starts.
KODI_MODULES = {"xbmc", "xbmcaddon", "xbmcgui", "xbmcplugin", "xbmcvfs", "xbmcdrm"}


# Rust


def rust_files() -> list[Path]:
    return sorted(SRC.rglob("*.rs"))


def room_of(path: Path) -> str:
    inside = path.relative_to(SRC)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def without_comments(text: str) -> str:
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def rooms_named(text: str, depth: int) -> set[str]:
    """The rooms that a file names, through `crate::`, or `super::` often enough at its own level.

    `depth` is how many modules the file lies below the crate's root.
    """
    text = without_comments(text)
    upwards = r"^(?:pub(?:\([^)]*\))? )?use " + r"super::" * depth
    found = set()
    for match in re.finditer(rf"\bcrate::|(?:{upwards})(?!super::)", text, re.MULTILINE):
        rest = text[match.end() :]
        if rest.startswith("{"):
            found |= set(names_in_group(rest))
        else:
            found |= set(re.findall(r"^(?:r#)?([a-z_0-9]+)\b", rest))
    return found


def names_in_group(text: str) -> Iterator[str]:
    """The first names in `{a::b, c::{d, e}}`: a and c."""
    level, expecting = 0, False
    for token in re.findall(r"[{},]|\w+|::", text):
        if token == "{":
            level += 1
            expecting = level == 1
        elif token == "}":
            level -= 1
            if level == 0:
                return
        elif token == "," and level == 1:
            expecting = True
        elif expecting and token[0].islower():
            yield token
            expecting = False


def rust_faults(path: Path, text: str) -> list[str]:
    room = room_of(path)
    inside = path.relative_to(SRC)
    depth = len(inside.parts) - (1 if inside.stem in ("mod", "lib") else 0)
    if room not in FLOOR_OF:
        return [f"{inside}: {room} has no floor"]
    faults = []
    for other in sorted(rooms_named(text, depth) - {room}):
        if other not in FLOOR_OF:
            continue  # an item of lib.rs; a room without a floor is another test's finding
        apart = FLOORS[FLOOR_OF[room]][0]
        if FLOOR_OF[other] < FLOOR_OF[room]:
            faults.append(f"{inside}: {room} reaches up to {other}")
        elif FLOOR_OF[other] == FLOOR_OF[room] and apart:
            faults.append(f"{inside}: {room} knows {other}, a room of the same floor")
    return faults


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(path) for path in rust_files()}
    assert rooms, "no Rust sources found"
    assert rooms - set(FLOOR_OF) == set()


def test_lib_declares_the_rooms_from_the_top_down() -> None:
    declared = re.findall(
        r"^(?:pub(?:\(\w+\))? )?mod (\w+);",
        (SRC / "lib.rs").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert declared == sorted(declared, key=lambda room: FLOOR_OF.get(room, -1))


@pytest.mark.parametrize("path", rust_files(), ids=lambda path: str(path.relative_to(SRC)))
def test_no_rust_file_reaches_up(path: Path) -> None:
    assert rust_faults(path, path.read_text(encoding="utf-8")) == []


def test_only_the_boundary_names_pyo3() -> None:
    naming = [
        room_of(path)
        for path in rust_files()
        if "pyo3" in without_comments(path.read_text(encoding="utf-8"))
    ]
    assert set(naming) <= {"python"}


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("http/client.rs", "use crate::keeper::Keeper;", "http reaches up to keeper"),
        (
            "http/client.rs",
            "use crate::{clock::Clock, vault::{Vault, key::Key}};",
            "http knows vault",
        ),
        ("vault/mod.rs", "fn f() { crate::http::get(); }", "vault knows http"),
        ("login/form.rs", "use super::super::logout::proof;", "login knows logout"),
        ("backoff.rs", "use super::keeper;", "backoff reaches up to keeper"),
        ("clock.rs", "use crate::session::Session;", "clock reaches up to session"),
    ],
)
def test_a_reach_is_seen(file: str, text: str, fault: str) -> None:
    (found,) = rust_faults(SRC / file, text)
    assert fault in found


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("keeper.rs", "use crate::{vault, http::{self, Client}, error::Result};"),
        ("login/form.rs", "use super::renewal;\nuse crate::http::Client;"),
        ("session.rs", "// use crate::keeper: never\nuse crate::token::Claims;"),
        ("backoff.rs", "mod tests {\n    use super::keeper;\n}"),
    ],
)
def test_what_is_allowed_is_not_a_fault(file: str, text: str) -> None:
    assert rust_faults(SRC / file, text) == []


# Python


def python_files() -> list[Path]:
    return sorted(path for path in (ROOT / "python").rglob("*.py"))


def imports(tree: ast.Module, package: str) -> Iterator[tuple[str, bool]]:
    """Each imported name in full, and whether the import stands at the top of the file."""
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            name = ".".join(filter(None, [base, node.module]))
            for alias in node.names:
                # In `from . import keeper` the last part is a module, in others a name of one.
                yield f"{name}.{alias.name}", id(node) in top
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value), False


def package_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "python").parent.parts)


def python_faults(path: Path, text: str) -> list[str]:
    inside = path.relative_to(ROOT / "python")
    in_package = inside.parts[0] == "sessionkeeper"
    in_kodi = inside.parts[:2] == ("sessionkeeper", "kodi")
    faults = []
    for name, at_top in imports(ast.parse(text), package_of(path)):
        first = name.split(".")[0]
        if first in KODI_MODULES:
            if in_package and not in_kodi:
                faults.append(f"{inside}: imports {name}")
        elif first == "sessionkeeper":
            upwards = name.startswith("sessionkeeper.kodi") and in_package and not in_kodi
            # One look upwards is meant: in Kodi, open() asks where the add-on's data lies.
            if upwards and (at_top or not name.startswith("sessionkeeper.kodi.paths")):
                faults.append(f"{inside}: reaches up to {name}")
        elif first not in sys.stdlib_module_names:
            faults.append(f"{inside}: imports {name}, which is not in the standard library")
    return faults


@pytest.mark.parametrize(
    "path", python_files(), ids=lambda path: str(path.relative_to(ROOT / "python"))
)
def test_no_python_file_reaches_up(path: Path) -> None:
    assert python_faults(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("keeper.py", "import xbmc", "imports xbmc"),
        ("keeper.py", "def f():\n    from xbmcaddon import Addon", "imports xbmcaddon.Addon"),
        ("keeper.py", "import importlib\nimportlib.import_module('xbmcvfs')", "imports xbmcvfs"),
        ("keeper.py", "from .kodi import paths", "reaches up to sessionkeeper.kodi.paths"),
        (
            "keeper.py",
            "def f():\n    from .kodi.dialogs import ask",
            "reaches up to sessionkeeper.kodi.dialogs",
        ),
        ("kodi/service.py", "import requests", "not in the standard library"),
    ],
)
def test_a_python_reach_is_seen(file: str, text: str, fault: str) -> None:
    (found,) = python_faults(PACKAGE / file, text)
    assert fault in found


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "keeper.py",
            "import json\nfrom .records import Status\ndef f():\n    from .kodi import paths",
        ),
        ("kodi/service.py", "import xbmc\nfrom .. import errors\nfrom ..keeper import open"),
        ("../service.py", "import sys\nfrom sessionkeeper.kodi import service"),
    ],
)
def test_python_that_is_allowed_is_not_a_fault(file: str, text: str) -> None:
    assert python_faults(Path(PACKAGE, file).resolve(), text) == []
