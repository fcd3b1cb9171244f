"""What a test can change in how Trakt behaves. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.servers.grants.store import DeviceSettings

DAY = 24 * 3600.0


@dataclass
class Settings(DeviceSettings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"generation": ("2026", "2025")}

    # Seven days; it was one in 2025, and three months before.
    access_lifetime: float = 7 * DAY
    # Not documented: "until it is revoked".
    refresh_lifetime: float = 3650 * DAY
    renewal_ends_access: bool = True
    # How a renewal is refused: 400 since the migration of July 2026, 401 before.
    generation: str = "2026"
    # A revocation is answered `{}`, or with no body, as their contract has it.
    revocation_says_nothing: bool = False
    # 423 for the account's requests, which says nothing of its tokens.
    account_locked: bool = False
