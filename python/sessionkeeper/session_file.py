"""The session file of an add-on: read, whatever it holds, and erased.

Pickles are read by `inert_pickle`, which runs nothing. A file that is no file, too long, or not to
be understood is left alone.
"""

from __future__ import annotations

import os
import stat
from itertools import islice

from . import inert_pickle
from .inert_pickle import LONGEST, LONGEST_NUMBER, Inert, Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

# More cookies than any jar holds.
MOST = 1000
_LONGEST_LINE = 8192
_HTTP_ONLY = "#HttpOnly_"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def contents(path: str) -> bytes:
    """SECRET. Empty where there is nothing. Raises `Unreadable`."""
    try:
        file = os.open(path, os.O_RDONLY | _NO_LINK)
        try:
            about = os.fstat(file)
            if stat.S_ISREG(about.st_mode) and about.st_size <= LONGEST:
                return os.read(file, LONGEST)
        finally:
            os.close(file)
    except FileNotFoundError:
        return b""
    except OSError:
        pass
    raise Unreadable("not a file that can be read")


def meaning(data: bytes) -> tuple[Any, dict[str, Any]]:
    """SECRET. The cookies and the tokens in a file with these contents. Raises `Unreadable` where
    there are none."""
    cookies, tokens = _meaning(_loaded(data))
    if not cookies and not tokens:
        raise Unreadable("neither cookies nor tokens")
    return cookies, tokens


def erase(path: str, data: bytes) -> bool:
    """Overwrites the file with zeros and removes it, unless it holds something else than `data` by
    now. False where it still holds that.

    On a disk that writes in place nothing is left of it. On flash, and on file systems that keep
    versions, the old blocks stay until they are used again; what was in them is of use only as long
    as the session lives.
    """
    try:
        if contents(path) != data:
            return True
    except Unreadable:
        return True
    is_overwritten = False
    try:  # noqa: SIM105 - importing contextlib costs more
        os.chmod(path, 0o600)
    except OSError:
        pass
    try:
        file = os.open(path, os.O_WRONLY | _NO_LINK)
        try:
            about = os.fstat(file)
            if stat.S_ISREG(about.st_mode) and about.st_nlink == 1:
                os.write(file, bytes(min(about.st_size, LONGEST)))
                os.fsync(file)
                os.ftruncate(file, 0)
                is_overwritten = True
        finally:
            os.close(file)
    except OSError:
        pass
    try:
        os.remove(path)
    except OSError:
        return is_overwritten
    return True


def _loaded(data: bytes) -> Any:
    first = data.lstrip()[:1]
    if first == b"#":
        return _of_lines(data.decode("utf-8", "replace").splitlines())
    if first not in {b"{", b"["}:
        return inert_pickle.loads(data)
    import json

    try:
        return json.loads(data, parse_int=_number)
    except (ValueError, RecursionError):
        pass
    raise Unreadable("no JSON")


def _of_lines(lines: list[str]) -> list[dict[str, Any]]:
    """The cookie files of `http.cookiejar`: of Netscape, as curl has it too, and of LWP."""
    if lines[0].startswith("#LWP-Cookies"):
        return [cookie for cookie in map(_of_lwp, lines) if cookie]
    return [cookie for cookie in map(_of_netscape, lines) if cookie]


def _of_netscape(line: str) -> dict[str, Any] | None:
    line = line[len(_HTTP_ONLY) :] if line.startswith(_HTTP_ONLY) else line
    fields = line.split("\t")
    if line.startswith("#") or len(fields) != 7:
        return None
    domain, with_subdomains, path, _, expires, name, value = fields
    if with_subdomains == "TRUE" and not domain.startswith("."):
        domain = f".{domain}"
    ends = int(expires) if expires.isdigit() and len(expires) <= LONGEST_NUMBER else None
    return {"name": name, "value": value, "domain": domain, "path": path, "expires": ends or None}


def _of_lwp(line: str) -> dict[str, Any] | None:
    start, _, rest = line.partition(":")
    if start != "Set-Cookie3" or len(rest) > _LONGEST_LINE:
        return None
    from calendar import timegm
    from http.cookiejar import split_header_words  # type: ignore[attr-defined]
    from time import strptime

    words: list[list[tuple[str, Any]]] = split_header_words([rest])
    if not words or not words[0]:
        return None
    (name, value), *others = words[0]
    told = {word.lower(): text for word, text in others}
    try:
        ends = timegm(strptime(told["expires"], "%Y-%m-%d %H:%M:%SZ"))
    except (KeyError, ValueError, TypeError):
        ends = None
    places = {"domain": told.get("domain"), "path": told.get("path")}
    return {"name": name, "value": value, "expires": ends, **places}


def _number(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise Unreadable("a number that is too long")
    return int(text)


def _meaning(held: Any) -> tuple[Any, dict[str, Any]]:
    """Cookies and tokens of a jar, a list of cookies, or a dictionary: of tokens, of cookies by
    name, or with either under their usual names."""
    if not isinstance(held, dict):
        return _cookies(held), {}
    tokens = held.get("tokens", held.get("token"))
    if isinstance(tokens, dict) or "cookies" in held:
        return _cookies(held.get("cookies")), _tokens(tokens)
    if "access_token" in held or "refresh_token" in held:
        return None, _tokens(held)
    return _cookies(held), {}


def _cookies(held: Any) -> list[Any] | dict[str, Any] | None:
    if isinstance(held, Inert):
        return _of_jar(held)
    if isinstance(held, list):
        return _of_list(held)
    return {name: value for name, value in _named(held).items() if is_text(value)} or None


def _tokens(held: Any) -> dict[str, Any]:
    return {name: value for name, value in _named(held).items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and -(2**53) < value < 2**53
    return is_number or is_text(value)


def is_text(value: Any) -> bool:
    """Half a character is none."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeError:
        return False


def _named(held: Any) -> dict[str, Any]:
    held = held if isinstance(held, dict) else {}
    _check_length(held.values())
    return {name: value for name, value in held.items() if is_text(name)}


def _check_length(values: Iterable[Any]) -> None:
    """A pickle may have one text in a thousand places: each would be copied."""
    if sum(len(value) for value in values if isinstance(value, str)) > LONGEST:
        raise Unreadable("too long")


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
    cookies = [
        {
            **{key: state.get(key) for key in ("name", "value", "domain", "path")},
            "expires": _end(state.get("expires")),
        }
        for state in states
        if isinstance(state, dict)
    ]
    _check_length(text for cookie in cookies for text in cookie.values())
    return [
        {key: value if is_text(value) or key == "expires" else None for key, value in one.items()}
        for one in cookies
        if is_text(one["name"]) and is_text(one["value"])
    ]


def _end(expires: Any) -> int | None:
    """Where it cannot be understood the cookie is one without an end."""
    is_time = isinstance(expires, (int, float)) and 0 <= expires < 2**53
    return int(expires) if is_time else None
