"""What differs between apps, and what the documentation leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"app": ("oauth_app", "github_app")}

    # Tokens of an OAuth app are gho_ and do not expire; a GitHub App's are ghu_ and may.
    app: str = "oauth_app"
    expiring_tokens: bool = True
    # Its author ticked "Enable Device Flow".
    device_flow: bool = True
    interval: float = 5
    code_lifetime: float = 900
    token_lifetime: float = 28800
    refresh_lifetime: float = 15897600
    # POST /credentials/revoke takes gho_, ghu_ and ghr_ too, not personal access tokens alone.
    revokes_app_tokens: bool = True
    # How long after its 202 a credential still works.
    revocation_delay: float = 0
    # To POST /credentials/revoke, in an hour.
    revocations_per_hour: float = 60
