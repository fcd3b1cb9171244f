"""What a test can change in how Google behaves. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.servers.grants.store import DeviceSettings

DAY = 24 * 3600.0


@dataclass
class Settings(DeviceSettings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "expired_code": ("invalid_grant", "expired_token")
    }

    device_expires_in: float = 1800
    access_lifetime: float = 3599
    # In production without a term; 7 * DAY while the consent screen is in testing.
    refresh_lifetime: float = 3650 * DAY
    most_refresh_tokens: int = 100
    # The documentation names the first only; clients have met the second.
    expired_code: str = "invalid_grant"
    # "It might take some time before the revocation has full effect": on access tokens.
    revocation_delay: float = 0
    # What is no dead token: a project without quota, an account without a channel.
    quota_exceeded: bool = False
    has_channel: bool = True
    # Too many device codes were asked for.
    codes_exceeded: bool = False
