"""What differs at Real-Debrid, and what its documentation leaves open."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    interval: float = 5
    # Captures show 600 and 900, the documentation 1800.
    code_lifetime: float = 900
    token_lifetime: float = 86400
    # Of all requests together.
    requests_per_minute: float = 250
    # A renewal brings another refresh token, and the one before is dead.
    rotates: bool = False
    # Disabling an access token ends what renews it, too.
    disable_ends_grant: bool = False
    account_locked: bool = False
    # Older answers have no direct_verification_url.
    direct_address: bool = True
