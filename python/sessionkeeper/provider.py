"""A provider definition given as a Python dictionary, written as the TOML that the core reads.

The core alone checks what a definition means; here only what TOML cannot say is refused, with the
key that holds it. Strings are escaped in full, so no value can end its own line.
"""

from __future__ import annotations

from .errors import InvalidProvider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
}
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def toml_text(definition: Mapping[str, Any]) -> str:
    """The definition as TOML. Raises `InvalidProvider` with the key of what TOML cannot say."""
    lines: list[str] = []
    _write_table(definition, (), lines)
    return "\n".join(lines) + "\n"


def _write_table(table: Mapping[str, Any], path: tuple[str, ...], lines: list[str]) -> None:
    """Plain values first: what follows a sub-table's heading would belong to the sub-table."""
    below: list[tuple[str, Any]] = []
    for key, value in table.items():
        if not isinstance(key, str):
            where = ".".join(path) or "the definition"
            raise InvalidProvider(f"A key of {where} is not a string.")
        if isinstance(value, dict) or _is_list_of_tables(value):
            below.append((key, value))
        else:
            lines.append(f"{_key(key, path)} = {_value(value, (*path, key))}")
    for key, value in below:
        inner = (*path, key)
        heading = ".".join(_key(part, path) for part in inner)
        if isinstance(value, dict):
            lines.append(f"[{heading}]")
            _write_table(value, inner, lines)
            continue
        for item in value:
            lines.append(f"[[{heading}]]")
            _write_table(item, inner, lines)


def _is_list_of_tables(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(item, dict) for item in value)
    )


def _value(value: Any, path: tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _string(value, path)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(item, path) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_key(k, path)} = {_value(v, (*path, str(k)))}" for k, v in value.items())
        return f"{{ {', '.join(pairs)} }}"
    raise InvalidProvider(
        f"{'.'.join(path)} cannot be a {type(value).__name__}.",
        "Use strings, numbers, true or false, lists and dictionaries; leave out what is not set.",
    )


def _key(key: Any, path: tuple[str, ...]) -> str:
    if not isinstance(key, str):
        raise InvalidProvider(f"A key of {'.'.join(path)} is not a string.")
    return key if key and _BARE.issuperset(key) else _string(key, path)


def _string(text: str, path: tuple[str, ...]) -> str:
    written = []
    for character in text:
        code = ord(character)
        if 0xD800 <= code <= 0xDFFF:
            raise InvalidProvider(f"{'.'.join(path)} holds text that is not valid Unicode.")
        if character in _ESCAPES:
            written.append(_ESCAPES[character])
        elif code < 0x20 or code == 0x7F:
            written.append(f"\\u{code:04X}")
        else:
            written.append(character)
    return f'"{"".join(written)}"'
