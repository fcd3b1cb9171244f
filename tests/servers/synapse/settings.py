"""What a test can change about the homeserver. A change of a lifetime starts it anew."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front import settings as front


@dataclass
class Settings(front.Settings):
    # Of an access token that comes with a refresh token, whole seconds.
    access_lifetime: int = 300
    # Of a refresh token that nobody uses.
    refresh_lifetime: int = 14 * 24 * 3600
