"""What a test can change in how Twitch behaves. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.servers.grants.store import DeviceSettings

DAY = 24 * 3600.0


@dataclass
class Settings(DeviceSettings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "client_type": ("public", "confidential"),
        "denied_word": ("authorization_pending", "access_denied", "invalid device code"),
    }

    device_expires_in: float = 1800
    access_lifetime: float = 14124
    refresh_lifetime: float = 30 * DAY
    # A confidential client gets tokens by a device code, and renews them with its secret alone.
    client_type: str = "public"
    denied_word: str = "authorization_pending"
    # A poll brings the scopes again, as documented; the real one was seen not to insist.
    wants_scopes: bool = True
    # Whether polls below the interval are told to slow down; the real one was not seen to.
    notices_haste: bool = False
    # 400 or 401 to the renewal of a user who changed the password or disconnected the client.
    disconnected_status: int = 401
