"""What a test can change at plex.tv."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    pin_lifetime: float = 900
    strong_pin_lifetime: float = 1800
    # Whether a device is listed still when its last token was signed out; nobody says so.
    signout_keeps_device: bool = False
    # Each account has a Plex Media Server among its devices.
    media_server: bool = False
