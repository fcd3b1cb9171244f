"""Who imports whom: the arrows that test_floors.py judges.

Runs nothing: it reads Python from the syntax tree, and in Rust every path that begins with `crate`,
`super` or `self`. What a mod.rs or __init__.py only hands on is not its own use, and whoever takes
it from there uses the file behind it. Tests inside the sources do not count.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Iterator

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PYTHON = ROOT / "python"

Arrows = dict[str, set[str]]
Module = tuple[str, ...]


def circle(arrows: Arrows) -> list[str]:
    """The files of one circle, if there is one."""
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        found = next(filter(None, (walk(to, [*way, node]) for to in sorted(arrows[node]))), [])
        done.add(node)
        return found

    return next(filter(None, (walk(node, []) for node in sorted(arrows))), [])


# Rust


def without_tests(text: str) -> str:
    """Without comments, and without what is compiled for tests only, which stands at the foot."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.split(r"#\[cfg\(test\)\]\s*(?:#\[[^]]*\]\s*)*mod \w+ \{", text)[0]


def rust_files(under: Path = SRC) -> dict[Module, str]:
    """Module path → source; a mod.rs has its directory's."""
    found = {}
    for path in sorted(under.rglob("*.rs")):
        parts = path.relative_to(under).with_suffix("").parts
        if "tests" not in parts and not parts[-1].endswith("_test"):
            parts = parts[:-1] if parts[-1] == "mod" else parts
            found[parts] = without_tests(path.read_text(encoding="utf-8"))
    assert found, "no Rust sources found"
    return found


def floors(lib: str) -> list[list[str]]:
    """The groups of modules between blank lines."""
    groups = re.split(r"\n\s*\n", without_tests(lib))
    named = [
        re.findall(r"^(?:pub(?:\(\w+\))? )?mod (\w+);", group, re.MULTILINE) for group in groups
    ]
    return [group for group in named if group]


def leaves(text: str) -> Iterator[Module]:
    """The paths of a use tree: `a::{b, c::d}` is a::b and a::c::d. More text may follow it."""
    head = re.match(r"(?:(?:r#)?\w+::)*", text)
    assert head
    names = tuple(head.group().replace("r#", "").split("::")[:-1])
    rest = text[head.end() :]
    if not rest.startswith("{"):
        last = re.match(r"\w+|\*", rest)
        yield names + ((last.group(),) if last else ())
        return
    depth, start = 0, 1
    for at, sign in enumerate(rest):
        depth += (sign == "{") - (sign == "}")
        if (depth == 1 and sign == ",") or depth == 0:
            for inner in leaves(rest[start:at].strip()):
                yield names + inner
            start = at + 1
        if depth == 0:
            return


def paths(module: Module, text: str) -> Iterator[Module]:
    """Every path that the source of a module names, from the crate's root."""
    for match in re.finditer(r"(?<![\w:])(?:crate|super|self)::", text):
        for path in leaves(text[match.start() :]):
            base, *rest = path
            whole = [] if base == "crate" else list(module)
            rest = [base, *rest] if base == "super" else rest
            while rest[:1] == ["super"]:
                whole, rest = whole[:-1], rest[1:]
            yield (*whole, *rest)


RE_EXPORT = r"^\s*pub(?:\([^)]*\))? use (?:self::)?([^;]+);"


def resolve(path: Module, files: dict[Module, str]) -> Module:
    """The module in which it is defined, past the re-exports of a mod.rs; () for the root's own."""
    module = path
    while module and module not in files:
        module = module[:-1]
    if module and len(path) > len(module):
        for tree in re.findall(RE_EXPORT, files[module], re.MULTILINE):
            for inner in leaves(tree):
                if inner[-1] == path[len(module)] and (*module, inner[0]) in files:
                    return resolve((*module, *inner), files)
    return module


def uses(module: Module, files: dict[Module, str]) -> set[Module]:
    """The modules that a module names, itself and those declared inside the file left out."""
    text = re.sub(RE_EXPORT, "", files[module], flags=re.MULTILINE)
    found = {resolve(path, files) for path in paths(module, text)}
    # A mod.rs names its files without a beginning.
    own = re.sub(r"\buse (?:crate|super)::[^;]+;", "", text)
    found |= {
        child
        for child in files
        if child[:-1] == module and re.search(rf"(?<![\w:]){child[-1]}::", own)
    }
    return found - {module, ()}


def arrows_inside(room: str, files: dict[Module, str]) -> Arrows:
    inside = [module for module in files if module[0] == room]
    return {
        "/".join(module): {"/".join(used) for used in uses(module, files) if used[0] == room}
        for module in inside
    }


# Python


def python_files() -> list[Path]:
    return sorted(PYTHON.rglob("*.py"))


def imports(path: Path, text: str) -> Iterator[tuple[str, bool]]:
    """Each imported name in full, and whether the import stands at the top of the file."""
    tree = ast.parse(text)
    package = path.relative_to(PYTHON).parent.parts
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, id(node) in top
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            name = ".".join(filter(None, [base, node.module]))
            for alias in node.names:
                # In `from . import keeper` the last part is a module, in others a name of one.
                yield f"{name}.{alias.name}", id(node) in top
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                yield str(node.args[0].value), False


def handed_on(text: str) -> set[str]:
    """The names that an `__init__` has in `__all__`, or imports as themselves."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            found |= {one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names if alias.name == alias.asname}
    return found


def python_arrows(sources: dict[Path, str]) -> Arrows:
    """Which file of the package imports which."""
    modules = {}
    for path in sources:
        parts = path.relative_to(PYTHON).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    arrows: Arrows = {name: set() for name in modules}
    for name, path in modules.items():
        exported = handed_on(sources[path]) if path.stem == "__init__" else set()
        for imported, _ in imports(path, sources[path]):
            if imported.rpartition(".")[2] in exported:
                continue
            used = imported if imported in modules else imported.rpartition(".")[0]
            if used in modules:
                arrows[name].add(used)
    return arrows
