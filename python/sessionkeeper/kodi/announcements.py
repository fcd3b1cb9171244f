"""What other add-ons are told, through Kodi's NotifyAll.

They receive it in Monitor.onNotification(sender="script.sessionkeeper", method="Other.login",
data). "update" means: what was shown for the user may be another's now, read it again. Every add-on
and every JSON-RPC client hears it, so it names the service and the account and never a secret.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import xbmc

from sessionkeeper.kodi import log
from sessionkeeper.kodi.strings import ADDON_ID

if TYPE_CHECKING:
    from sessionkeeper.shapes import EventShape

ANNOUNCED = ("login", "switched", "logout", "update", "restored", "session_expired", "revoked")


def announce(event: EventShape) -> None:
    """Passes one of the keeper's events on, if it is of a kind that concerns others."""
    if event["event"] not in ANNOUNCED:
        return
    log.debug(f"announced: {event['event']}")
    data = {"provider": event["provider"], "account": event["account"], "outcome": event["outcome"]}
    params = {"sender": ADDON_ID, "message": event["event"], "data": data}
    xbmc.executeJSONRPC(
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": "JSONRPC.NotifyAll", "params": params})
    )
