"""The cookies of the service: their names, how they are set and deleted.

The attributes are those of the service; a deletion repeats Domain and Path of the setting.
"""

from __future__ import annotations

from email.utils import formatdate

STATE = "angelSession"
JWT = "angel_jwt_v2"
SESSION = "angelSession_v2.0"
PHOENIX = "_ellis_island_session"
REMEMBER = "_ellis_island_web_user_remember_me"

_LONG_AGO = "Thu, 01 Jan 1970 00:00:00 GMT"


def setting(name: str, value: str, lifetime: float | None, now: float) -> str:
    """One Set-Cookie line; without a lifetime the cookie ends with the browser."""
    line = f"{name}={value}; Path=/; Domain=.angel.com"
    if lifetime is not None:
        line += f"; Expires={formatdate(now + lifetime, usegmt=True)}; Max-Age={int(lifetime)}"
    return f"{line}; Secure; HttpOnly; SameSite={_same_site(name)}"


def deletions() -> list[str]:
    """The four Set-Cookie lines of a logout."""
    return [
        f"{name}=; Path=/; Domain=.angel.com; Expires={_LONG_AGO}; Secure; HttpOnly;"
        f" SameSite={_same_site(name)}"
        for name in (JWT, SESSION, PHOENIX, REMEMBER)
    ]


def _same_site(name: str) -> str:
    return "Strict" if name == REMEMBER else "Lax"
