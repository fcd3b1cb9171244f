"""Set-Cookie lines of the auth API and of the storefront, in production and in development.

    production    Path=/; Expires; Max-Age; HttpOnly; Secure; SameSite=None
    development   Path=/; Expires; Max-Age; HttpOnly; SameSite=Lax

No Domain: the storefront relays the lines of another server as they are, so they hold for the
storefront's host alone. `bc_customer_id` is the storefront's own: page scripts read and delete it,
therefore it has no HttpOnly, and it is SameSite=Lax everywhere.
"""

from __future__ import annotations

from email.utils import formatdate

REFRESH, ACCESS, PERSON = "refresh_token", "access_token", "person_id"
CUSTOMER = "bc_customer_id"

_LONG_AGO = "Thu, 01 Jan 1970 00:00:00 GMT"


def of_auth(name: str, value: str, lifetime: float, now: float, *, development: bool) -> str:
    return f"{name}={value}; Path=/{_until(lifetime, now)}; HttpOnly{_site('None', development)}"


def of_storefront(name: str, value: str, lifetime: float, now: float, *, development: bool) -> str:
    return f"{name}={value}; Path=/{_until(lifetime, now)}{_site('Lax', development)}"


def deletion(name: str, *, development: bool) -> str:
    """How the auth API takes one of its cookies back."""
    return f"{name}=; Path=/; Expires={_LONG_AGO}; HttpOnly{_site('None', development)}"


def parse(header: str) -> dict[str, str]:
    """A Cookie header as names and values, taken as they are; of two with one name the first."""
    found: dict[str, str] = {}
    for pair in header.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals:
            found.setdefault(name, value)
    return found


def _until(lifetime: float, now: float) -> str:
    return f"; Expires={formatdate(now + lifetime, usegmt=True)}; Max-Age={int(lifetime)}"


def _site(production: str, development: bool) -> str:
    return "; SameSite=Lax" if development else f"; Secure; SameSite={production}"
