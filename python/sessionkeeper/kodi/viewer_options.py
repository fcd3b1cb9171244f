"""What the viewer has set of the options of `sessionkeeper.open`: the way to the network, how early
sessions are renewed, what is logged.

They count for every add-on that uses the shared accounts, so that a proxy is nobody's alone and a
connection everybody's. Read in every invocation of such an add-on, so next to nothing is imported.
"""

from __future__ import annotations

import xbmcvfs

from sessionkeeper.kodi import proxy, settings_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 15.0
LOGOUT_LIMIT_S = 10.0


def read() -> dict[str, Any]:
    """Raises StorageError where the settings cannot be read, InvalidInput where their proxy cannot
    be used.
    """
    return of(settings_file.Settings())


def of(chosen: settings_file.Settings) -> dict[str, Any]:
    """What these settings mean."""
    timeout = float(chosen.number("timeout"))
    options = {
        "proxy": proxy.chosen(chosen.text("proxy_mode"), chosen.text("proxy_address")),
        "timeout": timeout,
        "connect_timeout": min(CONNECT_LIMIT_S, timeout),
        "answer_timeout": min(ANSWER_LIMIT_S, timeout),
        "logout_deadline": min(LOGOUT_LIMIT_S, timeout),
        "renewal_margin": 60 * chosen.number("renewal_margin"),
        "log_level": chosen.text("log_level"),
    }
    ca_file = chosen.text("ca_file")
    return {**options, "ca_file": xbmcvfs.translatePath(ca_file)} if ca_file else options
