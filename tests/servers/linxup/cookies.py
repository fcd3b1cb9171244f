"""Set-Cookie lines of the auth API and of the storefront, in production and in development.

    production    Path=/; Expires; Max-Age; HttpOnly; Secure; SameSite=None
    development   Path=/; Expires; Max-Age; HttpOnly; SameSite=Lax

No Domain: the storefront relays the lines of another server as they are, so they hold for the
storefront's host alone. `bc_customer_id` is the storefront's own: page scripts read and delete it,
therefore it has no HttpOnly, and it is SameSite=Lax everywhere.
"""

from __future__ import annotations

from tests.servers.front.wire import LONG_AGO, lasting

REFRESH, ACCESS, PERSON = "refresh_token", "access_token", "person_id"
CUSTOMER, CART = "bc_customer_id", "cart_id"


def of_auth(name: str, value: str, lifetime: float, now: float, *, development: bool) -> str:
    return f"{name}={value}; Path=/; {lasting(lifetime, now)}; HttpOnly{_site('None', development)}"


def of_storefront(name: str, value: str, lifetime: float, now: float, *, development: bool) -> str:
    return f"{name}={value}; Path=/; {lasting(lifetime, now)}{_site('Lax', development)}"


def deletion(name: str, *, development: bool) -> str:
    """How the auth API takes one of its cookies back."""
    return f"{name}=; Path=/; {LONG_AGO}; HttpOnly{_site('None', development)}"


def _site(production: str, development: bool) -> str:
    return "; SameSite=Lax" if development else f"; Secure; SameSite={production}"
