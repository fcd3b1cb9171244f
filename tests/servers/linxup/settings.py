"""What a test can change about the shop and its auth API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"generation": ("new", "old")}

    # The auth API's port is closed: whatever the storefront forwards meets a refused connection.
    auth_down: bool = False
    # /v2/logout answers with this status. 2xx and 3xx: all else is as usual; 4xx and 5xx: nothing
    # is ended and no cookie deleted. 0: as it should be.
    auth_status: int = 0
    # /v2/logout forgets the refresh token: its cookie is not deleted, and the session lives on.
    partial_deletion: bool = False
    # Cookies as on a developer's machine: without Secure, SameSite=Lax.
    development: bool = False
    access_lifetime: float = 3600
    refresh_lifetime: float = 30 * 24 * 3600
    # "old": /v2/logout answers 401 where there is no session to end; "new": 200 then too.
    generation: str = "new"

    def test(self, changes: dict[str, Any]) -> None:
        super().test(changes)
        status = changes.get("auth_status", 0)
        if status != 0 and status not in range(200, 600):
            raise ValueError("setting 'auth_status' takes a status, or 0")
