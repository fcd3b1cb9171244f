"""What a test can change about the stand-in."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.fastapi_parts import settings


@dataclass
class Settings(settings.Settings):
    refresh_lifetime: float = 30 * 24 * 3600
