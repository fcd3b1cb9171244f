"""What a test can change about the stand-in: lifetimes and page variants."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    jwt_lifetime: float = 24 * 3600
    remember_lifetime: float = 180 * 24 * 3600
    # The e-mail page has no hidden input `state`; the cookie angelSession holds the same value.
    no_state_input: bool = False
    # The password page has no `_csrf_token`, or no `state`. The POST is checked all the same.
    no_csrf: bool = False
    no_password_state: bool = False
    # Added to the server's clock, where it decides what has expired and writes iat and exp.
    clock_offset: float = 0
