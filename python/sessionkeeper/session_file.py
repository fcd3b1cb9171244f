"""The session file of an add-on: read, whatever it holds, and erased.

Pickles are read by `inert_pickle`, which runs nothing. A file that is no file, too long, or not to
be understood is as one that is not there; it is left alone.
"""

from __future__ import annotations

import os
import stat
from itertools import islice

from . import inert_pickle
from .inert_pickle import LONGEST, Inert, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# More cookies than any jar holds.
MOST = 1000
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def read(path: str) -> tuple[Any, dict[str, Any]]:
    """The cookies and the tokens in the file, as far as there are any."""
    data = _contents(path)
    try:
        return _meaning(_loaded(data)) if data else (None, {})
    except Unreadable:
        return None, {}


def erase(path: str) -> None:
    """Overwrites the file with zeros and removes it.

    On a disk that writes in place nothing is left of it. On flash, and on file systems that keep
    versions, the old blocks stay until they are used again; what was in them is of use only as long
    as the session lives.
    """
    try:
        file = os.open(path, os.O_WRONLY | _NO_LINK)
        try:
            about = os.fstat(file)
            if stat.S_ISREG(about.st_mode) and about.st_nlink == 1:
                os.write(file, bytes(min(about.st_size, LONGEST)))
                os.fsync(file)
        finally:
            os.close(file)
    except OSError:
        pass
    try:  # noqa: SIM105 - importing contextlib costs more
        os.remove(path)
    except OSError:
        pass


def _contents(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | _NO_LINK)
    except OSError:
        return b""
    try:
        about = os.fstat(file)
        is_one = stat.S_ISREG(about.st_mode) and about.st_size <= LONGEST
        return os.read(file, LONGEST) if is_one else b""
    except OSError:
        return b""
    finally:
        os.close(file)


def _loaded(data: bytes) -> Any:
    if data.lstrip()[:1] not in {b"{", b"["}:
        return inert_pickle.loads(data)
    import json

    try:
        return json.loads(data, parse_int=_number)
    except (ValueError, RecursionError):
        pass
    raise Unreadable("no JSON")


def _number(text: str) -> int:
    if len(text) > inert_pickle.LONGEST_NUMBER:
        raise Unreadable("a number that is too long")
    return int(text)


def _meaning(held: Any) -> tuple[Any, dict[str, Any]]:
    """Cookies and tokens of a jar, a list of cookies, or a dictionary: of tokens, of cookies by
    name, or with either under their usual names."""
    if not isinstance(held, dict):
        return _cookies(held), {}
    tokens = held.get("tokens", held.get("token"))
    if isinstance(tokens, dict) or "cookies" in held:
        return _cookies(held.get("cookies")), _named(tokens)
    if "access_token" in held or "refresh_token" in held:
        return None, _named(held)
    return _cookies(held), {}


def _cookies(held: Any) -> list[Any] | dict[str, Any] | None:
    if isinstance(held, Inert):
        return _of_jar(held)
    if isinstance(held, list):
        return _of_list(held)
    texts = {name: value for name, value in _named(held).items() if isinstance(value, str)}
    return texts or None


def _named(held: Any) -> dict[str, Any]:
    held = held if isinstance(held, dict) else {}
    return {name: value for name, value in held.items() if isinstance(name, str)}


def _of_jar(jar: Inert) -> list[dict[str, Any]]:
    """`CookieJar._cookies`: by domain, by path, by name."""
    found: list[Any] = [jar.state.get("_cookies", {})]
    for _ in range(3):
        levels = (level for level in found if isinstance(level, dict))
        # One dictionary may be there many times: what comes of it is counted, not collected.
        found = list(islice((item for level in levels for item in level.values()), MOST))
    return _of_list(found)


def _of_list(items: list[Any]) -> list[dict[str, Any]]:
    """Those that are cookies, told apart from everything else by their names and values."""
    states = [item.state if isinstance(item, Inert) else item for item in items[:MOST]]
    return [
        {key: state.get(key) for key in ("name", "value", "domain", "path", "expires")}
        for state in states
        if isinstance(state, dict)
        and isinstance(state.get("name"), str)
        and isinstance(state.get("value"), str)
    ]
