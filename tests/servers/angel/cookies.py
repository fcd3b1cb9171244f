"""The cookies of the service: their names, how they are set and deleted.

The attributes are those of the service; a deletion repeats Domain and Path of the setting.
"""

from __future__ import annotations

from tests.servers.front.wire import LONG_AGO, lasting

STATE = "angelSession"
SESSION = "angelSession_v2.0"
PHOENIX = "_ellis_island_session"
REMEMBER = "_ellis_island_web_user_remember_me"


def setting(name: str, value: str, lifetime: float | None, now: float) -> str:
    """One Set-Cookie line; without a lifetime the cookie ends with the browser."""
    line = f"{name}={value}; Path=/; Domain=.angel.com"
    if lifetime is not None:
        line += f"; {lasting(lifetime, now)}"
    return f"{line}; Secure; HttpOnly; SameSite={_same_site(name)}"


def deletions(jwt_name: str) -> list[str]:
    """The four Set-Cookie lines of a logout."""
    return [
        f"{name}=; Path=/; Domain=.angel.com; {LONG_AGO}; Secure; HttpOnly;"
        f" SameSite={_same_site(name)}"
        for name in (jwt_name, SESSION, PHOENIX, REMEMBER)
    ]


def _same_site(name: str) -> str:
    return "Strict" if name == REMEMBER else "Lax"
