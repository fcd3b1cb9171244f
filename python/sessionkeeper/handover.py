"""What an add-on hands over when it starts to use Sessionkeeper: a session that it kept itself.

Cookies and tokens in whatever form programs hold them; the session file of an add-on, pickled or
JSON; settings of an add-on's own. A file or a setting is left as it is until its session is stored
here or is over; then it is emptied, if it still holds what was read. No error holds a value.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Iterable, Mapping

    from ._types import Cookies, Run, Stop

TOKENS = ("access_token", "refresh_token", "id_token", "expires_in", "expires_at")


def options(cookies: Cookies | None, tokens: Mapping[str, Any] | None) -> dict[str, Any]:
    """SECRET. As the core takes them. Raises `InvalidInput`."""
    if tokens is not None and not hasattr(tokens, "keys"):
        raise _invalid("The tokens are not a dictionary.", 'Write them as {"access_token": …}.')
    return {"cookies": [] if cookies is None else _cookies(cookies), "tokens": dict(tokens or {})}


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
        "domain": _text(read("domain")),
        "path": _text(read("path")),
        "expires": ends,
    }


def _text(given: Any) -> str:
    # Not `str(given)`: a list that holds itself many times over would take all memory.
    return given if isinstance(given, str) else ""


class Handover:
    """A session file and settings of an add-on's own, each with a session until that is stored
    here. `addon` reads the settings and empties them; None where there are none."""

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

    def held(self, run: Run) -> list[Held]:
        """What is there now."""
        found = [self._in_file(run), self._in_settings()]
        return [held for held in found if held is not None]

    def take(self, run: Run, stop: Stop | None) -> None:
        """Has each taken over, one after the other. Raises what kept one from it; then that one
        stays."""
        from .errors import Error

        trouble = None
        for held in self.held(run):
            try:
                held.settle(run, stop)
            except Error as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble

    def _in_file(self, run: Run) -> Held | None:
        if self._file is None or not os.path.lexists(self._file):
            return None
        from .errors import InvalidInput
        from .inert_pickle import Unreadable
        from .session_file import contents, erase, meaning

        path = self._file
        try:
            data = contents(path)
            if not data:
                return None
            return Held(options(*meaning(data)), path, lambda: erase(path, data))
        except (Unreadable, InvalidInput):
            pass
        _note(run, path, unreadable=True)
        return None

    def _in_settings(self) -> Held | None:
        addon, meanings = self._addon, self._settings
        read = addon.read(meanings) if addon and meanings else {}
        if addon is None or not read:
            return None
        from .session_file import is_text

        values = {setting: value for setting, value in read.items() if is_text(value)}
        if not values:
            return None
        tokens = {}
        cookies = []
        for setting, value in values.items():
            meaning = meanings[setting]
            if meaning not in TOKENS:
                cookies.append({"name": meaning, "value": value})
            elif value[:7].lower() == "bearer ":
                tokens[meaning] = value[7:].strip()
            else:
                tokens[meaning] = value.strip()
        place = "settings: " + ", ".join(values)
        return Held(options(cookies, tokens), place, lambda: addon.empty(values))


class Held:
    """A session where somebody else keeps it. `options` are SECRET; `empty` empties the place, and
    says whether it could."""

    __slots__ = ("_empty", "_place", "options")

    def __init__(self, options: dict[str, Any], place: str, empty: Callable[[], bool]) -> None:
        self.options = options
        self._place = place
        self._empty = empty

    def settle(self, run: Run, stop: Stop | None, *, offline: bool = False) -> None:
        """Has it taken over, and then empties the place; `offline` where it is known to be over."""
        how = run("take_over", {"handed_over": self.options, "offline": offline}, stop)["how"]
        if how == "no_session":
            _note(run, self._place, unreadable=True)
        elif how == "taken" and not self._empty():
            _note(run, self._place, unreadable=False)


def _note(run: Run, place: str, *, unreadable: bool) -> None:
    """For the log."""
    place = place.encode(errors="replace").decode()
    run("note_handover", {"place": place, "unreadable": unreadable}, None)


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
