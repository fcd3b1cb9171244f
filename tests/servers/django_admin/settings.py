"""What a test can change about the site."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front import settings as front


@dataclass
class Settings(front.Settings):
    # Of sessions that begin from now on, whole seconds.
    session_lifetime: int = 14 * 24 * 3600
