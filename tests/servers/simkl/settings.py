"""What a test can change in how Simkl behaves. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.grants.store import DeviceSettings


@dataclass
class Settings(DeviceSettings):
    device_expires_in: float = 900
    # Five years.
    token_lifetime: float = 157_680_000
    # The older documentation knows "Slow down" for polls below the interval; slow_down_times says
    # it without haste.
    notices_haste: bool = False
    # Refuses a request without app-name and app-version.
    wants_app_name: bool = False
