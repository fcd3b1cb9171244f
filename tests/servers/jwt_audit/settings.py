"""What a test can change about the stand-in."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.fastapi_parts import settings


@dataclass
class Settings(settings.Settings):
    token_lifetime: float = 1800
    # A logout refuses its token from then on.
    deny_list: bool = False
    # Every call to the audit log raises an error; it does so with `database_fails`, too.
    audit_fails: bool = False
