"""The add-on's one way to its keeper, and what it shows of the account in its settings.

The sessions lie in this add-on's own data directory: its service is nobody else's. Without
`private` they would be the viewer's, for every add-on that she allows. Either way Sessionkeeper's
service keeps them renewed, and tells the server later what it could not be told at once.
"""

from __future__ import annotations

import os
from typing import Callable

import sessionkeeper
import xbmcaddon


def open_keeper(stop: Callable[[], bool]) -> sessionkeeper.Keeper:
    """The keeper of this add-on's sessions. `stop` ends what it does, as when Kodi shuts down."""
    path = xbmcaddon.Addon().getAddonInfo("path")
    return sessionkeeper.open(
        os.path.join(path, "resources", "provider.toml"),
        private=True,
        # Called after the session is gone, even if Kodi was killed meanwhile; then perhaps twice.
        after_logout={"show_signed_out": lambda _report: show_account(None)},
        stop=stop,
    )


def show_account(account: sessionkeeper.Account | None) -> None:
    """In the settings, or that nobody is logged in. Never put a token or a password there: Kodi
    stores them in clear text.
    """
    words = text(30011).format(account.email) if account else text(30010)
    xbmcaddon.Addon().setSetting("account", words)


def text(number: int) -> str:
    words: str = xbmcaddon.Addon().getLocalizedString(number)
    return words
