"""What is told without being asked: the viewer, by short words that slide in at the edge of the
screen, and other add-ons, by Kodi's NotifyAll.

Kodi shows about 26 characters of a notification at a time and scrolls the rest, so the outcome
comes first. There is no sound. Other add-ons receive an event in
Monitor.onNotification(sender="script.sessionkeeper", method="Other.login", data); "update" means:
what was shown for the user may be another's now, read it again. Every add-on and every JSON-RPC
client hears it, so it names the service and the account and never a secret.
"""

from __future__ import annotations

import xbmc
import xbmcaddon
import xbmcgui

from sessionkeeper.kodi import log
from sessionkeeper.kodi.strings import ADDON_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Event

LONG_MS = 12000
SHORT_MS = 4000
ONE_GLANCE = 26
PUBLISHED = ("login", "switched", "logout", "update", "restored", "session_expired", "revoked")


def show(message: str, heading: str = "") -> None:
    _show(message, heading, xbmcaddon.Addon(ADDON_ID).getAddonInfo("icon"))


def warn(message: str, heading: str = "") -> None:
    _show(message, heading, xbmcgui.NOTIFICATION_WARNING)


def _show(message: str, heading: str, icon: str) -> None:
    log.debug(f"notification: {heading}{': ' if heading else ''}{message}")
    time_ms = SHORT_MS if len(message) <= ONE_GLANCE else LONG_MS
    xbmcgui.Dialog().notification(heading or "Sessionkeeper", message, icon, time_ms, False)


def publish(event: Event) -> None:
    """Passes one of the keeper's events on to other add-ons, if it is of a kind that concerns
    them.
    """
    if event.event not in PUBLISHED:
        return
    from json import dumps

    log.debug(f"published: {event.event}")
    data = {"provider": event.provider, "account": event.account, "outcome": event.outcome}
    data["addon"] = event.addon
    params = {"sender": ADDON_ID, "message": event.event, "data": data}
    request = {"jsonrpc": "2.0", "id": 1, "method": "JSONRPC.NotifyAll", "params": params}
    xbmc.executeJSONRPC(dumps(request))
