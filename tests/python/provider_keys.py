"""The keys of a provider file, as docs/provider.schema.json and docs/provider-keys.md have them.
The schema is made of the types in src/provider, and a test there holds it against them.

A table of the file is named by its path and its flow, as in `login password`; where there is no
flow, by its path alone. The file itself is the empty path.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "provider-keys.md"
SCHEMA = json.loads((ROOT / "docs" / "provider.schema.json").read_text(encoding="utf-8"))
# What the reference calls the types that are no tables.
KINDS = {
    "About": "text",
    "Address": "address",
    "Audience": "text",
    "ClientAuth": "text",
    "Encoding": "text",
    "FieldName": "text",
    "RedirectUri": "text",
    "Amount": "number or template",
    "CookieName": "text",
    "HeaderName": "text",
    "Hosts": "list of texts",
    "Json": "table",
    "Method": "text",
    "Pointer": "pointer",
    "QuestionKind": "text",
    "RelativePath": "path",
    "Scalar": "value",
    "Status": "number",
    "RefusalStatuses": "list of numbers",
    "SuccessStatuses": "list of numbers",
    "GoneStatuses": "list of numbers",
    "Template": "template",
    "Tries": "number",
    "UrlTemplate": "address",
    "Website": "address",
}
# Tables that stand in many places and are told of once, under a heading of their own.
SHARED = {"Sign": "sign", "Step": "step", "Take": "take"}
# The keys that every request has.
REQUEST = {"method", "url", "query", "headers", "json", "form"}
# Where the one or the other stands.
SIGNS = {"denied", "done", "ended", "expired", "pending", "refused", "slow_down"}
STEPS = {"pages", "steps", "then"}
# What the reference calls a table whose name is up to the author of the file.
NAMED_BY_THE_AUTHOR = {"parameters": "parameters.NAME"}
# What these hold is named by the service.
THEIRS = {"query", "headers", "header", "json", "form", "names"}
OAUTH = {("extra", kind) for kind in ("authorization", "device", "token", "revocation")}
PLURALS = {
    "address": "addresses",
    "list of texts": "lists of texts",
    "list of pointers": "lists of pointers",
}
EMPTY = {"list": "[]", "table": "{}", "table or list": "none"}


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
    _collect("", SCHEMA, tables)
    tables["request"] = {name: tables["step"][name] for name in REQUEST}
    return tables


def is_request(keys: dict[str, Key]) -> bool:
    """Whether a table of the source describes a request; that of a logout differs a little."""
    return keys.keys() >= REQUEST and keys["url"].is_needed


def _collect(path: str, schema: dict[str, Any], tables: dict[str, dict[str, Key]]) -> None:
    """The table that `schema` describes, and those below it."""
    if "oneOf" in schema:
        tables[path] = {"flow": Key("text", "needed")}
        for variant in schema["oneOf"]:
            flow = variant["properties"]["flow"]["const"]
            _collect(f"{path} {flow}", variant, tables)
        return
    keys = tables.setdefault(path, {})
    for name, given in schema["properties"].items():
        if name == "flow":
            continue  # the table is named by it
        found, is_optional = _without_null(given)
        kind = _kind(found)
        if name in schema.get("required", ()):
            default = "needed"
        elif is_optional:
            default = "none"
        elif "default" in given:
            default = json.dumps(given["default"])
        else:
            default = EMPTY.get(kind.partition(" of ")[0], "") if " of " in kind else "see below"
        keys[name] = Key(kind, default)
        for named, below in _tables(found):
            inner = f"{path.partition(' ')[0]}.{name}".lstrip(".")
            place = SHARED.get(named) or NAMED_BY_THE_AUTHOR.get(inner, inner)
            if place not in tables:
                _collect(place, below, tables)


def _without_null(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """What a schema is where the key is there, and whether it may be absent without a default."""
    if isinstance(schema.get("type"), list):
        return {**schema, "type": schema["type"][0]}, True
    if {"type": "null"} in schema.get("anyOf", ()):
        (found, *others) = (one for one in schema["anyOf"] if one != {"type": "null"})
        return ({"anyOf": [found, *others]} if others else found), True
    return schema, False


def _is_one_or_list(schema: dict[str, Any]) -> bool:
    return [one.get("type") == "array" for one in schema.get("anyOf", ())] == [False, True]


def _kind(schema: dict[str, Any]) -> str:
    """What the reference calls it, in its column "type"."""
    named = schema.get("$ref", "").rpartition("/")[2]
    if named:
        return SHARED.get(named) or KINDS.get(named, "table")
    if _is_one_or_list(schema):
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema["type"] == "array":
        inner = _kind(schema["items"])
        return f"list of {PLURALS.get(inner, inner + 's')}"
    if schema["type"] == "object":
        inner = _kind(schema["additionalProperties"])
        return f"table of {PLURALS.get(inner, inner + 's')}"
    return {"string": "text", "boolean": "true or false", "integer": "number"}[schema["type"]]


def _tables(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The table that a key holds, be it in a list or under names of the author's."""
    if _is_one_or_list(schema):
        schema = schema["anyOf"][0]
    inner = schema.get("items") or schema.get("additionalProperties") or schema
    named = inner.get("$ref", "").rpartition("/")[2]
    if named and named not in KINDS:
        table = SCHEMA["$defs"][named]
        # One that has short forms as well.
        forms = [one for one in table.get("anyOf", ()) if "properties" in one]
        yield named, (forms or [table])[0]


def of_the_document() -> dict[str, dict[str, Key]]:
    """The same, from the tables under its headings."""
    tables: dict[str, dict[str, Key]] = {}
    table = ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        heading = re.match(r'### `\[+([\w.]+)\]+`(?: with `flow = "(\w+)"`)?$', line)
        heading = heading or re.match(r"### A (request|step|take|sign)$", line)
        if heading:
            table = " ".join(filter(None, heading.groups()))
            tables[table] = {}
        elif line.startswith("## "):
            table = ""
        row = re.fullmatch(r"\| `(\w+)` \| (.+?) \| (.+?) \| .+? \| (.+?) \|", line)
        if row:
            name, type_, default, example = row.groups()
            tables.setdefault(table, {})[name] = Key(type_, default.strip("`"), example.strip("`"))
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
            is_theirs = key in THEIRS or (*path[-1:], key) in OAUTH or path[-2:-1] == ("take",)
            if not is_theirs:
                yield from keys_of(inner, (*path, key))


def name_of(path: tuple[Any, ...], definition: dict[str, Any]) -> tuple[str, str]:
    """The table that the reference tells the key in, and the key's name."""
    *parents, name = path
    names = [part for part in parents if not isinstance(part, int)]
    if names[:1] == ["parameters"]:
        names[1:] = ["NAME"] if len(names) > 1 else []
    elif names[-2:-1] == ["take"]:
        return "take", name
    elif names and names[-1] in SIGNS:
        return "sign", name
    elif names and names[-1] in STEPS and names != ["logout", "steps"]:
        return "step", name
    table = ".".join(names)
    flow = at(definition, parents).get("flow") if parents else None
    return (table if name == "flow" or not flow else f"{table} {flow}"), name


def at(value: Any, path: Any) -> Any:
    for step in path:
        value = value[step]
    return value
