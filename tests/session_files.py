"""The session files that add-ons left before they used Sessionkeeper: `pickle.dump` of the cookies
of a requests session. Made without requests, whose jar says itself what is pickled of it.
"""

from __future__ import annotations

import http.cookiejar
import pickle
import sys
import types
from typing import Any, Iterable


class RequestsCookieJar(http.cookiejar.CookieJar):
    """As far as pickle sees it."""

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_cookies_lock")
        return state


RequestsCookieJar.__module__ = "requests.cookies"
RequestsCookieJar.__qualname__ = "RequestsCookieJar"


def cookie(
    name: str, value: str, domain: str = ".angel.com", **changes: Any
) -> http.cookiejar.Cookie:
    usual: dict[str, Any] = {
        "version": 0,
        "name": name,
        "value": value,
        "port": None,
        "port_specified": False,
        "domain": domain,
        "domain_specified": bool(domain),
        "domain_initial_dot": domain.startswith("."),
        "path": "/",
        "path_specified": True,
        "secure": True,
        "expires": 4102444800,
        "discard": False,
        "comment": None,
        "comment_url": None,
        "rest": {"HttpOnly": None},
        "rfc2109": False,
    }
    return http.cookiejar.Cookie(**{**usual, **changes})


def requests_jar(cookies: Iterable[http.cookiejar.Cookie]) -> RequestsCookieJar:
    jar = RequestsCookieJar()
    for one in cookies:
        jar.set_cookie(one)
    return jar


def pickled(held: Any, protocol: int = pickle.DEFAULT_PROTOCOL) -> bytes:
    """Pickles a jar where pickle can find its class, as where requests is installed."""
    module = types.ModuleType("requests.cookies")
    module.__dict__["RequestsCookieJar"] = RequestsCookieJar
    before = {name: sys.modules.get(name) for name in ("requests", "requests.cookies")}
    sys.modules.update({"requests": types.ModuleType("requests"), "requests.cookies": module})
    try:
        return pickle.dumps(held, protocol)
    finally:
        for name, known in before.items():
            sys.modules.pop(name)
            if known is not None:
                sys.modules[name] = known
