"""What an add-on hands over when it starts to use Sessionkeeper: a session that it kept itself.

Cookies and tokens in whatever form programs hold them; the session file of an add-on, pickled or
JSON; settings of an add-on's own. A file or a setting is left as it is until its session is stored
here or the server has said that it is over; then it is emptied. No error holds a value.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Iterable, Mapping

    from ._types import Cookies, Run, Stop

TOKENS = ("access_token", "refresh_token", "id_token", "expires_in", "expires_at")


def options(
    cookies: Cookies | None, tokens: Mapping[str, Any] | None, **manner: bool
) -> dict[str, Any]:
    """As the core takes them, `manner` being its other options. Raises `InvalidInput`."""
    if tokens is not None and not hasattr(tokens, "keys"):
        raise _invalid("The tokens are not a dictionary.", 'Write them as {"access_token": …}.')
    return {
        "cookies": [] if cookies is None else _cookies(cookies),
        "tokens": dict(tokens or {}),
        **manner,
    }


def _cookies(given: Any) -> list[dict[str, Any]]:
    given = getattr(given, "jar", given)  # of httpx
    # A jar of requests is a mapping as well, and knows more as a jar.
    if hasattr(given, "keys") and not hasattr(given, "extract_cookies"):
        given = [{"name": name, "value": given[name]} for name in given.keys()]  # noqa: SIM118
    if isinstance(given, (str, bytes)) or not hasattr(given, "__iter__"):
        raise _invalid(
            "The cookies are neither a dictionary nor a list of cookies.",
            'Write them as {"name": "value"}, or give a cookie jar.',
        )
    return [cookie for cookie in map(_cookie, given) if cookie is not None]


def _cookie(given: Any) -> dict[str, Any] | None:
    def read(name: str) -> Any:
        return given.get(name) if hasattr(given, "keys") else getattr(given, name, None)

    name, value = read("name"), read("value")
    if not isinstance(name, str):
        raise _invalid("A cookie has no name.", "A cookie has at least a name and a value.")
    if value is None:
        return None
    expires = read("expires") or read("expiry")
    data: bytes | None = None
    ends: int | None = None
    try:
        ends = int(expires) if expires is not None and float(expires) >= 0 else None
        data = value if isinstance(value, bytes) else str(value).encode()
    except (ValueError, TypeError, OverflowError):
        pass
    if data is None:
        raise _invalid("A cookie has a value or an end that cannot be used.", "")
    return {
        "name": name,
        "value": data,
        "domain": str(read("domain") or ""),
        "path": str(read("path") or ""),
        "expires": ends,
    }


class Handover:
    """A session file and settings of an add-on's own, until their session is stored here. `addon`
    reads the settings and empties them; None where there are none."""

    __slots__ = ("_addon", "_file", "_settings")

    def __init__(
        self,
        file: str | os.PathLike[str] | None,
        settings: Mapping[str, str] | Iterable[str] | None,
        addon: ModuleType | None,
    ) -> None:
        self._file = os.path.abspath(file) if file else None
        self._settings = _meanings(settings)
        self._addon = addon

    def take(self, run: Run, stop: Stop | None, *, unchecked: bool = False) -> None:
        """Has the session taken over, and empties what held it; where its account is logged in
        already, it is ended instead. Does nothing where nothing is, or nothing that is a session.
        Raises what kept it from being taken over; then it stays."""
        cookies, tokens = self._found()
        if not cookies and not tokens:
            return
        from .errors import InvalidInput, SessionExpired

        try:
            run("adopt", options(cookies, tokens, unchecked=unchecked, yields=not unchecked), stop)
        except SessionExpired:
            pass
        except InvalidInput:
            return
        self._empty()

    def _found(self) -> tuple[Any, dict[str, Any]]:
        cookies: Any = None
        tokens: dict[str, Any] = {}
        if self._file is not None and os.path.lexists(self._file):
            from .session_file import read

            cookies, tokens = read(self._file)
        if self._settings and self._addon:
            cookies = [] if cookies is None else _cookies(cookies)
            for setting, value in self._addon.read(self._settings).items():
                meaning = self._settings[setting]
                if meaning in TOKENS:
                    tokens[meaning] = value
                else:
                    cookies.append({"name": meaning, "value": value})
        return cookies, tokens

    def _empty(self) -> None:
        if self._file is not None and os.path.lexists(self._file):
            from .session_file import erase

            erase(self._file)
        if self._settings and self._addon:
            self._addon.empty(self._settings)


def _meanings(settings: Any) -> dict[str, str]:
    """Which token or cookie each setting holds."""
    if hasattr(settings, "keys"):
        meanings = dict(settings)
    elif isinstance(settings, (str, bytes)):
        meanings = {"": ""}
    else:
        named = settings or ()
        meanings = {name: name if name in TOKENS else "access_token" for name in named}
    if not all(isinstance(word, str) and word for pair in meanings.items() for word in pair):
        raise _invalid(
            "adopt_settings is neither a list of settings nor a dictionary.",
            'Write it as ["jwt_token"], or as {"jwt_token": "access_token"}.',
        )
    return meanings


def _invalid(message: str, hint: str) -> Exception:
    from .errors import InvalidInput

    return InvalidInput(message, hint)
