"""The options of requests that cannot be meant here, each with the reason and what there is for it.

None of them is left out in silence: who asks for a certificate not to be checked has to know that
it is. One that asks for nothing, as `files={}`, is no matter.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

_REASONS = {
    "verify": (
        "certificates are always checked",
        "Name a certificate authority of your own in open(ca_file=…).",
    ),
    "cert": (
        "the session proves who it is by its own credentials",
        "A service that asks for a certificate of the client cannot be used.",
    ),
    "auth": (
        "the session sends its own credentials",
        "Leave it out. For another account, log in with that.",
    ),
    "cookies": (
        "the session has its own cookies, and sends them",
        "Leave it out. What the service sets is kept.",
    ),
    "files": (
        "a multipart body is not made here",
        "Give the body as data=…, and its Content-Type in headers=….",
    ),
    "proxies": (
        "all requests of a keeper take the same way",
        "Name the proxy in open(proxy=…). In Kodi, its settings are obeyed.",
    ),
    "hooks": (
        "nothing is called back",
        "Use the response that the request gives.",
    ),
}


def refuse(options: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` for an option of requests, `TypeError` for one that nobody knows."""
    for name, value in options.items():
        if name not in _REASONS:
            raise TypeError(f"request() got an unexpected keyword argument {name!r}")
        # Not to verify asks for something.
        asks = value not in (None, True) if name == "verify" else bool(value)
        if asks:
            from .errors import InvalidInput

            reason, hint = _REASONS[name]
            raise InvalidInput(f"{name} cannot be given: {reason}.", hint)
