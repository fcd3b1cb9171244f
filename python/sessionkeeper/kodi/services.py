"""The services and accounts as the viewer knows them: names, and what a service can do.

Reads the native module's catalogue at each call; it costs microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sessionkeeper
from sessionkeeper.kodi.strings import text

if TYPE_CHECKING:
    from sessionkeeper.shapes import ProviderSummary


def name(provider: str) -> str:
    """What the viewer calls the service."""
    found = _summary(provider)
    return str(found["name"]) if found else provider


def is_device_login(provider: str) -> bool:
    """Whether one logs in with a code on another device instead of a password."""
    found = _summary(provider)
    return bool(found and found["login"] == "device_code")


def can_log_out_everywhere(provider: str) -> bool:
    found = _summary(provider)
    return bool(found and found["everywhere"])


def account_name(account: sessionkeeper.Account | None) -> str:
    """What the viewer knows the account by."""
    return (account and (account.email or account.name or account.id)) or text("unknown_account")


def _summary(provider: str) -> ProviderSummary | None:
    known = provider.partition("@")[0]  # behind it, a mark of the parameters may stand
    return next((entry for entry in sessionkeeper.providers() if entry["id"] == known), None)
