"""The add-on's settings as arguments of sessionkeeper.open.

Owns the names and units of the settings in resources/settings.xml, and reads them anew at each
call. It never stores a value that it read.
"""

from __future__ import annotations

from typing import Callable

import xbmcvfs

import sessionkeeper
from sessionkeeper.kodi import paths, proxy, settings
from sessionkeeper.kodi.strings import ADDON_ID

CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 15.0
LOGOUT_LIMIT_S = 10.0


def open_keeper(stop: Callable[[], bool]) -> sessionkeeper.Keeper:
    """The keeper of this Kodi profile, set up as the settings say. `stop` ends whatever it does."""
    addon = settings.fresh()
    chosen = addon.getSettings()
    timeout = float(chosen.getInt("timeout"))
    ca_file = chosen.getString("ca_file")
    return sessionkeeper.open(
        chosen.getString("provider"),
        data_dir=paths.data_directory(ADDON_ID),
        ca_file=xbmcvfs.translatePath(ca_file) if ca_file else None,
        proxy=proxy.chosen(chosen.getString("proxy_mode"), chosen.getString("proxy_address")),
        timeout=timeout,
        connect_timeout=min(CONNECT_LIMIT_S, timeout),
        answer_timeout=min(ANSWER_LIMIT_S, timeout),
        logout_deadline=min(LOGOUT_LIMIT_S, timeout),
        renewal_margin=60 * chosen.getInt("renewal_margin"),
        log_level=chosen.getString("log_level"),
        stop=stop,
    )


def clear_proxy_password() -> bool:
    """Takes a user name and password out of the proxy address, should somebody have entered them.
    Returns whether there were any.
    """
    address = settings.fresh().getSetting("proxy_address")
    if not proxy.holds_password(address):
        return False
    settings.write({"proxy_address": proxy.without_password(address)})
    return True
