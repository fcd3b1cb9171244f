"""The floors of the house: every floor uses only floors below it, and inside a room files form no
circle.

The floors of the core are the groups of modules in src/lib.rs, top down; only rooms of the two
lowest may know others of their floor.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.python.arrows import (
    PYTHON,
    SRC,
    Arrows,
    Module,
    arrows_inside,
    circle,
    floors,
    imports,
    python_arrows,
    python_files,
    rust_files,
    uses,
    without_tests,
)

# Who may import Kodi's modules: the rooms of `kodi`, and the two scripts that Kodi starts.
KODI_MODULES = {"xbmc", "xbmcaddon", "xbmcgui", "xbmcplugin", "xbmcvfs", "xbmcdrm"}

# Rust


def reaches(module: Module, files: dict[Module, str], floors_: list[list[str]]) -> list[str]:
    """What a file knows and must not know."""
    floor_of = {room: number for number, rooms in enumerate(floors_) for room in rooms}
    room, faults = module[0], []
    for other in sorted({used[0] for used in uses(module, files)} - {room}):
        if floor_of[other] < floor_of[room]:
            faults.append(f"{'/'.join(module)} reaches up to {other}")
        elif floor_of[other] == floor_of[room] < len(floors_) - 2:
            faults.append(f"{'/'.join(module)} knows {other}, a room of the same floor")
    return faults


FILES = rust_files()
FLOORS = floors((SRC / "lib.rs").read_text(encoding="utf-8"))
ROOMS = sorted({module[0] for module in FILES} - {"lib"})
# The mod.rs of these chooses one of its files, which share its types.
CHOOSERS = {"login", "logout", "oauth"}


def test_every_room_has_a_floor() -> None:
    assert set(ROOMS) <= {room for floor in FLOORS for room in floor}
    assert len(FLOORS) > 5


@pytest.mark.parametrize("module", [one for one in FILES if one != ("lib",)], ids="/".join)
def test_no_rust_file_reaches_up(module: Module) -> None:
    assert reaches(module, FILES, FLOORS) == []


@pytest.mark.parametrize("room", sorted(set(ROOMS) - CHOOSERS))
def test_no_circle_inside_a_room(room: str) -> None:
    assert circle(arrows_inside(room, FILES)) == []


def test_no_circle_among_the_rooms() -> None:
    known: Arrows = {room: set() for room in ROOMS}
    for module in FILES:
        if module[0] in known:
            known[module[0]] |= {used[0] for used in uses(module, FILES)} - {module[0]}
    assert circle(known) == []


def test_only_the_front_names_pyo3() -> None:
    naming = {module[0] for module, text in FILES.items() if "pyo3" in text}
    assert naming == {"python"}


# The looks upwards that are meant: in Kodi, open() asks for whom it opens and where provider files
# are, and for those of its settings that are to be taken over; request_access() asks the viewer.
LOOKED_UP = tuple(
    f"sessionkeeper.kodi.{name}" for name in ("opening", "sources", "consent", "calling_addon")
)

# A house to try the rules on.
LIB = "mod python;\n\nmod keeper;\n\nmod login;\nmod logout;\n\nmod http;\n\nmod error;"
SMALL = {
    ("python",): "",
    ("keeper",): "mod shared;\npub use shared::{Shared, A as B};\nuse crate::login::form;",
    ("keeper", "shared"): "",
    ("keeper", "request"): "",
    ("login",): "",
    ("login", "form"): "",
    ("logout",): "",
    ("http",): "",
    ("error",): "",
}


def in_the_small_house(module: str, text: str) -> tuple[Module, dict[Module, str]]:
    name = tuple(module.split("/"))
    return name, {**SMALL, name: without_tests(text)}


@pytest.mark.parametrize(
    ("module", "text", "fault"),
    [
        ("http", "use crate::keeper::Keeper;", "http reaches up to keeper"),
        ("http", "use crate::{error::Error, login::{form::Form}};", "http reaches up to login"),
        ("http", "fn f() { crate::python::get(); }", "http reaches up to python"),
        ("login/form", "use super::super::logout::proof;", "login/form knows logout"),
        ("logout", "use super::keeper;", "logout reaches up to keeper"),
    ],
)
def test_a_reach_is_seen(module: str, text: str, fault: str) -> None:
    (found,) = reaches(*in_the_small_house(module, text), floors(LIB))
    assert fault in found


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("keeper", "use crate::{login::{self, form}, logout, error::Result};"),
        ("login/form", "use super::renewal;\nuse crate::http::Client;"),
        ("http", "// use crate::keeper: never\nuse crate::error::Error;"),
        ("http", "#[cfg(test)]\nmod tests {\n    use super::super::keeper;\n}"),
    ],
)
def test_what_is_allowed_is_not_a_fault(module: str, text: str) -> None:
    assert reaches(*in_the_small_house(module, text), floors(LIB)) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("keeper/shared", "use super::request;\n"),
        ("keeper/shared", "fn f() { crate::keeper::request::send() }"),
        ("keeper/shared", "use super::{request::{self, Sent}};"),
    ],
)
def test_a_circle_is_seen(module: str, text: str) -> None:
    _, files = in_the_small_house(module, text)
    assert circle(arrows_inside("keeper", files)) == []
    files["keeper", "request"] = "use super::Shared;"
    found = circle(arrows_inside("keeper", files))
    assert found == ["keeper/request", "keeper/shared", "keeper/request"]


# Python


def python_faults(path: Path, text: str) -> list[str]:
    inside = path.relative_to(PYTHON)
    in_package = inside.parts[0] == "sessionkeeper"
    in_kodi = inside.parts[:2] == ("sessionkeeper", "kodi")
    faults = []
    for name, at_top in imports(path, text):
        first = name.split(".")[0]
        if first in KODI_MODULES:
            if in_package and not in_kodi:
                faults.append(f"{inside}: imports {name}")
        elif first == "sessionkeeper":
            upwards = name.startswith("sessionkeeper.kodi") and in_package and not in_kodi
            if upwards and (at_top or not name.startswith(LOOKED_UP)):
                faults.append(f"{inside}: reaches up to {name}")
        elif first not in sys.stdlib_module_names:
            faults.append(f"{inside}: imports {name}, which is not in the standard library")
    return faults


def test_no_circle_inside_the_package() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in python_files()}
    assert circle(python_arrows(sources)) == []


def test_a_circle_of_python_files_is_seen() -> None:
    package = PYTHON / "sessionkeeper"
    sources = {
        package / "__init__.py": "from .keeper import Keeper\n__all__ = ['Keeper']\nversion = 1",
        package / "keeper.py": "from . import session",
        package / "session.py": "def f():\n    from .keeper import Keeper",
    }
    names = ["sessionkeeper.keeper", "sessionkeeper.session", "sessionkeeper.keeper"]
    assert circle(python_arrows(sources)) == names
    sources[package / "session.py"] = "from . import version"
    assert circle(python_arrows(sources)) == []


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(PYTHON)))
def test_no_python_file_reaches_up(path: Path) -> None:
    assert python_faults(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("keeper.py", "import xbmc", "imports xbmc"),
        ("keeper.py", "def f():\n    from xbmcaddon import Addon", "imports xbmcaddon.Addon"),
        ("keeper.py", "import importlib\nimportlib.import_module('xbmcvfs')", "imports xbmcvfs"),
        ("keeper.py", "from .kodi import opening", "reaches up to sessionkeeper.kodi.opening"),
        (
            "keeper.py",
            "def f():\n    from .kodi.dialogs import ask",
            "reaches up to sessionkeeper.kodi.dialogs",
        ),
        ("kodi/service.py", "import requests", "not in the standard library"),
    ],
)
def test_a_python_reach_is_seen(file: str, text: str, fault: str) -> None:
    (found,) = python_faults(PYTHON / "sessionkeeper" / file, text)
    assert fault in found


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "keeper.py",
            "import json\nfrom .records import Status\ndef f():\n    from .kodi import opening",
        ),
        ("kodi/service.py", "import xbmc\nfrom .. import errors\nfrom ..keeper import open"),
        ("../service.py", "import sys\nfrom sessionkeeper.kodi import service"),
    ],
)
def test_python_that_is_allowed_is_not_a_fault(file: str, text: str) -> None:
    assert python_faults((PYTHON / "sessionkeeper" / file).resolve(), text) == []
