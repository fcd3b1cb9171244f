"""The headers and cookies of a session, to be looked at: they are the core's, and a change would do
nothing.
"""

from __future__ import annotations

from _collections_abc import Mapping

from .response import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Iterable, NoReturn

    Texts = Dict[str, str]
else:
    Texts = dict


def _refusing(message: str, hint: str) -> Callable[..., Any]:
    """A method that would change something."""

    def refuse(*_: object, **__: object) -> NoReturn:
        from .errors import InvalidInput

        raise InvalidInput(message, hint)

    return refuse


class SessionHeaders(Headers):
    """SECRET. The headers as they are now, by name, whatever its case. `repr` shows the names."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return _folded(self.items()) == _folded(other.items())

    def __hash__(self) -> NoReturn:
        raise TypeError("unhashable type: 'SessionHeaders'")

    _refuse = _refusing(
        "The session's headers cannot be changed.",
        "Give a header for every request to open(headers=…), for one request to "
        "request(headers=…). The credentials are the session's own.",
    )
    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = setdefault = clear = _refuse


class SessionCookies(Texts):
    """SECRET. The cookies as they are now, by name. `repr` shows the names; `dict()` of it is an
    ordinary dictionary."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<SessionCookies {', '.join(self)}>"

    _refuse = _refusing(
        "The session's cookies cannot be changed.",
        "What the service sets is kept by itself. keeper.logout() ends the session and deletes "
        "them; keeper.adopt(cookies=…) takes over others.",
    )
    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = setdefault = clear = _refuse


Mapping.register(SessionHeaders)


def _folded(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs}
