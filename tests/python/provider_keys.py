"""The keys of a provider file, as src/provider/file and as docs/provider-keys.md have them.

A table of the file is named by its path and its flow, as in `login password`; where there is no
flow, by its path alone. `File` itself is the empty path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "provider-keys.md"
SOURCE = "\n".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "src/provider/file").glob("*.rs"))
)
# What a type of the source is called in a provider file.
PATHS = {
    "File": "",
    "Parameter": "parameters.NAME",
    "Session": "session",
    "Answer": "session.answer",
    "Api": "api",
    "OAuth": "oauth",
    "Login": "login",
    "Page": "login.pages",
    "Take": "login.pages take.*",
    "Submit": "login.submit",
    "Renew": "renew",
    "Logout": "logout",
    "Step": "logout.steps",
    "RequestStep": "logout.steps request",
    "Proof": "logout.steps.proof",
    "Probe": "logout.probe",
    "Everywhere": "everywhere",
    "AfterLogout": "after_logout",
    "Downgrade": "after_logout.downgrade_entitlements",
}
# By the type of the source: what the document's column "type" begins with, and what holds when the
# key is absent.
KINDS = {
    "String": ("text|address|pointer|path", '""'),
    "bool": ("true or false", "false"),
    "Pairs": ("table of", "{}"),
    "BTreeMap<String, Take>": ("table of tables", "{}"),
    "BTreeMap<String, Scalar>": ("table of values", "{}"),
    "Vec<u16>": ("list of numbers", "[]"),
    "Vec<String>": ("list of texts|list of addresses|list of paths", "[]"),
    "Vec<Vec<String>>": ("list of lists", "[]"),
}


@dataclass(frozen=True)
class Key:
    type: str
    # "needed", "none", or a value as TOML.
    default: str
    example: str = ""

    @property
    def is_needed(self) -> bool:
        return self.default.startswith("needed")


def of_the_source() -> dict[str, dict[str, Key]]:
    """Tables, and their keys."""
    tables: dict[str, dict[str, Key]] = {}
    items = re.findall(
        r"((?:#\[[^\n]*\]\n)*)pub\(in crate::provider\) (struct|enum) (\w+) \{\n(.*?)\n\}",
        SOURCE,
        re.DOTALL,
    )
    for attributes, kind, name, body in items:
        if name == "Scalar":
            continue
        path = PATHS[name]
        if kind == "struct":
            tables[path] = dict(_fields(body, "serde(default" in attributes, name))
            continue
        tables[path] = {"flow": Key("String", "needed")}
        variants = r"^    ([A-Z]\w+)(?: \{(?:\}|\n(.*?)\n    \})|\(Box<RequestStep>\)),$"
        for variant, fields in re.findall(variants, body, re.DOTALL | re.MULTILINE):
            flow = re.sub(r"(?<!^)(?=[A-Z])", "_", variant).lower()
            tables.setdefault(f"{path} {flow}", dict(_fields(fields, False, name)))
    # `Step::Request` is a type of its own, which stands before or after the enum.
    request = next(body for _, _, name, body in items if name == "RequestStep")
    tables["logout.steps request"] = dict(_fields(request, False, "RequestStep"))
    return tables


def _fields(body: str, is_optional: bool, owner: str) -> Iterator[tuple[str, Key]]:
    field = r"((?:[ ]+#\[.*\]\n)*)[ ]+(?:pub )?(\w+): (.+),$"
    for attributes, name, type_ in re.findall(field, body, re.MULTILINE):
        optional = re.fullmatch(r"Option<(.+)>", type_)
        function = re.search(r'serde\(default = "(\w+)"\)', attributes)
        if optional:
            yield name, Key(optional[1], "none")
        elif function:
            yield name, Key(type_, _returned_by(function[1]))
        elif owner == "Answer":
            yield name, Key(type_, _literal(re.findall(rf"{name}: (\".*\")\.into\(\)", SOURCE)[0]))
        elif is_optional or "serde(default)" in attributes:
            yield name, Key(type_, KINDS.get(type_, ("", "see below"))[1])
        else:
            yield name, Key(type_, "needed")


def _returned_by(function: str) -> str:
    body = re.findall(rf"fn {function}\(\) -> .+ \{{\n    (.+)\n\}}", SOURCE)[0]
    return _literal(body)


def _literal(rust: str) -> str:
    return rust.replace(".into()", "").replace("vec!", "")


def of_the_document() -> dict[str, dict[str, Key]]:
    """The same, from the tables under its headings."""
    tables: dict[str, dict[str, Key]] = {}
    table = ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        heading = re.match(r'### `\[+([\w.]+)\]+`(?: with `flow = "(\w+)"`)?$', line)
        if heading:
            table = " ".join(filter(None, heading.groups()))
            tables[table] = {}
        elif line.startswith("## "):
            table = ""
        row = re.fullmatch(r"\| `([\w.*]+)` \| (.+?) \| (.+?) \| .+? \| (.+?) \|", line)
        if row:
            name, type_, default, example = row.groups()
            below = name.startswith("take.*.")
            place = f"{table} take.*" if below else table
            key = Key(type_, default.strip("`"), example.strip("`"))
            tables.setdefault(place, {})[name.rpartition(".")[2]] = key
    return tables


def example_of(tables: dict[str, dict[str, Key]], table: str, loads: Any) -> dict[str, Any]:
    """A table made of its rows' examples; what stands in a table of its own is not in it."""
    rows = {name: key for name, key in tables[table].items() if not key.example.startswith("see")}
    text = "".join(f"{name} = {key.example}\n" for name, key in rows.items())
    example: dict[str, Any] = loads(text)
    return example


def keys_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all keys; what templates hold is named by the service, not by us."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from keys_of(item, (*path, index))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield (*path, key)
            if key not in {"query", "headers", "json", "form"} and path[-2:-1] != ("take",):
                yield from keys_of(inner, (*path, key))


def name_of(path: tuple[Any, ...], definition: dict[str, Any]) -> tuple[str, str]:
    """The table that the reference tells the key in, and the key's name."""
    *parents, name = path
    names = [part for part in parents if not isinstance(part, int)]
    if names[:1] == ["parameters"]:
        names[1:] = ["NAME"] if len(names) > 1 else []
    table = ".".join(names)
    flow = at(definition, parents).get("flow") if parents else None
    return (table if name == "flow" or not flow else f"{table} {flow}"), name


def at(value: Any, path: Any) -> Any:
    for step in path:
        value = value[step]
    return value
