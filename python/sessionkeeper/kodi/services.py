"""The services and accounts as the viewer knows them: names, states, and what a service can do.

The core's catalogue is read at each call, with the files of all add-ons: that takes milliseconds.
"""

from __future__ import annotations

import sessionkeeper
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Container

    from sessionkeeper import Account, Parameter, Provider, Status, StoredAccount


def find(provider: str) -> Provider | None:
    """What the catalogue says of the service; None for one that is described elsewhere."""
    known = provider.partition("@")[0]  # behind it, a mark of the parameters may stand
    return next((entry for entry in sessionkeeper.providers() if entry.id == known), None)


def name(provider: str) -> str:
    """What the viewer calls the service."""
    found = find(provider)
    return found.name if found else provider


def offered(used: Container[str], *, for_developers: bool) -> list[Provider]:
    """Those that the viewer may choose from, in the order to show them in: whatever she uses, and
    what she can set up. Files that cannot be used are named in the log.
    """
    from sessionkeeper import catalogue
    from sessionkeeper.kodi import log

    found = catalogue.read()
    for file in found.unused:
        place = f"{file.file}:{file.line}" if file.line else file.file
        key = f"{file.key}: " if file.key else ""
        log.warning(f"provider file not used: {place}: {key}{file.message}")
    return [
        entry
        for entry in found.providers
        if entry.id in used or for_developers or _is_for_viewers(entry)
    ]


def asked(service: Provider, *, for_developers: bool) -> list[Parameter]:
    """What the viewer is asked for when she sets the service up. What is secret comes later."""
    return [one for one in service.parameters if (one.asked or for_developers) and not one.secret]


def secrets(service: Provider) -> list[Parameter]:
    """What she has to give at each login, and what is kept with that alone."""
    return [one for one in service.parameters if one.secret]


def _is_for_viewers(service: Provider) -> bool:
    """Nobody types a client id with a remote control: an add-on brings it, or it is not listed."""
    is_complete = all(one.asked or one.default is not None for one in service.parameters)
    return service.audience == "viewer" and is_complete


def account_name(account: Account | None) -> str:
    """What the viewer knows the account by."""
    return (account and account.label) or text("unknown_account")


def state_line(stored: Status | StoredAccount) -> str:
    """Whether somebody is logged in, and who. Access that comes back by itself has not expired."""
    if stored.account is None:
        return text("state_signed_out")
    state = "state_signed_in" if stored.usable else "state_expired"
    return text(state, account=account_name(stored.account))
