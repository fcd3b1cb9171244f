"""The services and accounts as the viewer knows them: names, states, and what a service can do.

Reads the native module's catalogue at each call; it costs microseconds.
"""

from __future__ import annotations

import sessionkeeper
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Account, Provider


def name(provider: str) -> str:
    """What the viewer calls the service."""
    found = summary(provider)
    return found.name if found else provider


def is_device_login(provider: str) -> bool:
    """Whether one logs in with a code on another device instead of a password."""
    found = summary(provider)
    return bool(found and found.login == "device_code")


def can_log_out_everywhere(provider: str) -> bool:
    found = summary(provider)
    return bool(found and found.everywhere)


def summary(provider: str) -> Provider | None:
    known = provider.partition("@")[0]  # behind it, a mark of the parameters may stand
    return next((entry for entry in sessionkeeper.providers() if entry.id == known), None)


def account_name(account: Account | None) -> str:
    """What the viewer knows the account by."""
    return (account and account.label) or text("unknown_account")


def state_line(state: str, account: Account | None) -> str:
    """Whether somebody is signed in, and who."""
    if state == "signed_out":
        return text("state_signed_out")
    known = "state_expired" if state == "expired" else "state_signed_in"
    return text(known, account=account_name(account))
