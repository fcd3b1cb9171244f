"""What crosses the boundary, by the schema that the Rust types generate (see src/schema_test.rs).

The double refuses what the schema does not have, as the core does; test_boundary.py holds the
Python side's verbs and records against it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = json.loads(Path(__file__).with_name("boundary.json").read_text("utf-8"))
VERBS = [name.split()[1] for name in SCHEMA if name.startswith("verb ")]
_KINDS: dict[str, Any] = {
    "null": type(None),
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "string": str,
    "array": (list, tuple),
    "object": dict,
}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema itself, where it only names one."""
    while "$ref" in schema:
        schema = SCHEMA[schema["$ref"].rpartition("/")[2]]
    return schema


def fault(  # noqa: PLR0911 - a return for each kind of schema
    schema: Any, value: Any, where: str = "it"
) -> str:
    """Why the schema does not take the value, "" where it does."""
    if schema is True:
        return ""
    schema = resolved(schema)
    if "anyOf" in schema:
        faults = [fault(one, value, where) for one in schema["anyOf"]]
        return "" if "" in faults else faults[0]
    if value not in schema.get("enum", [value]):
        return f"{where} is none of {schema['enum']}"
    if "type" not in schema:
        return ""
    kinds = schema["type"]
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if schema.get("format") == "binary":
        return "" if isinstance(value, bytes) else f"{where} is not bytes"
    if not any(_is(value, kind) for kind in kinds):
        return f"{where} is not {' or '.join(kinds)}"
    if isinstance(value, dict):
        return _fault_of_object(schema, value, where)
    if isinstance(value, (list, tuple)):
        items = schema.get("prefixItems") or [schema["items"]] * len(value)
        if len(items) != len(value):
            return f"{where} has {len(value)} items"
        return next(filter(None, map(fault, items, value, [f"{where}[]"] * len(value))), "")
    return ""


def _fault_of_object(schema: dict[str, Any], value: dict[Any, Any], where: str) -> str:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
    for name in schema.get("required", []):
        if name not in value:
            return f"{where}: '{name}' is missing"
    for name, item in value.items():
        if name not in known and not others:
            return f"{where}: '{name}' is not known"
        found = fault(known.get(name, others), item, f"{where}: {name}")
        if found:
            return found
    return ""


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def refusal(verb: str, options: dict[str, Any]) -> str:
    """Why the core does not take it, "" where it does."""
    if verb not in VERBS:
        return f"there is no '{verb}'"
    return fault(SCHEMA[f"verb {verb}"], options, verb)
