"""What a test can change about both services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "generation": ("new", "old"),
        "old_refusal": ("401", "403"),
    }

    # "new": a logout answers 200 whatever it was given, and also when its database fails.
    # "old": it refuses a missing, invalid, expired or revoked token, and is 500 without database.
    generation: str = "new"
    # The status of that refusal. FastAPI itself said 403 to a missing token until its 0.122.
    old_refusal: str = "401"
    # Every call that the service makes to its database raises an error.
    database_fails: bool = False
    token_lifetime: float = 900
    # Added to the server's clock, where it decides what has expired and writes iat and exp.
    clock_offset: float = 0

    @property
    def old(self) -> bool:
        return self.generation == "old"
