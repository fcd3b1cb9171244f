"""The services and accounts as the viewer knows them: names, states, and what a service can do.

Reads the native module's catalogue at each call; it costs microseconds.
"""

from __future__ import annotations

import sessionkeeper
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Account, Provider, Status, StoredAccount


def find(provider: str) -> Provider | None:
    """What the catalogue says of the service; None for one that is described elsewhere."""
    known = provider.partition("@")[0]  # behind it, a mark of the parameters may stand
    return next((entry for entry in sessionkeeper.providers() if entry.id == known), None)


def name(provider: str) -> str:
    """What the viewer calls the service."""
    found = find(provider)
    return found.name if found else provider


def account_name(account: Account | None) -> str:
    """What the viewer knows the account by."""
    return (account and account.label) or text("unknown_account")


def state_line(stored: Status | StoredAccount) -> str:
    """Whether somebody is logged in, and who. Access that comes back by itself has not expired."""
    if stored.account is None:
        return text("state_signed_out")
    state = "state_signed_in" if stored.usable else "state_expired"
    return text(state, account=account_name(stored.account))
