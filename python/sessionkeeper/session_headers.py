"""The headers of a session, to be looked at: they are the core's, and a change would do nothing."""

from __future__ import annotations

from _collections_abc import Mapping

from .response import Headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, NoReturn


class SessionHeaders(Headers):
    """SECRET. The headers as they are now, by name, whatever its case. `repr` shows the names."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return _folded(self.items()) == _folded(other.items())

    def __hash__(self) -> NoReturn:
        raise TypeError("unhashable type: 'SessionHeaders'")

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        from .errors import InvalidInput

        raise InvalidInput(
            "The session's headers cannot be changed.",
            "Give a header for every request to open(headers=…), for one request to "
            "request(headers=…). The credentials are the session's own.",
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = setdefault = clear = _refuse


Mapping.register(SessionHeaders)


def _folded(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in pairs}
