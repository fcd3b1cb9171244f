"""What differs from tenant to tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"pages": ("identifier_first", "combined")}

    # The e-mail and then the password, or both on one page.
    pages: str = "identifier_first"
    # Steps that a password alone does not pass.
    captcha: bool = False
    second_factor: bool = False
    # Wrong passwords until the account is blocked.
    attempts: float = 10
    transaction_lifetime: float = 3600
    code_lifetime: float = 600
    token_lifetime: float = 86400
    # Refresh tokens: whether a renewal brings another one, for how long the last but one serves
    # as well, and their lifetimes.
    rotation: bool = True
    overlap: float = 0
    refresh_lifetime: float = 2592000
    idle_lifetime: float = 1296000
    # "Refresh Token Revocation Deletes Grant": all of this user and application.
    revocation_deletes_grant: bool = False
