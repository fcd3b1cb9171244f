"""What a test can change about the issuer."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front import settings as front


@dataclass
class Settings(front.Settings):
    # For tokens issued from now on, whole seconds.
    access_lifetime: int = 36000
    # Sent as `interval` with a device code.
    device_interval: int = 5
