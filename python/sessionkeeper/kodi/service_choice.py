"""Which service the settings show: chosen from a list, and saved at once.

A list inside the settings dialog would show one service above the status and the buttons of another
until the viewer leaves the dialog.
"""

from __future__ import annotations

import sessionkeeper
from sessionkeeper.kodi import dialogs, services, settings
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper


def choose(keeper: Keeper) -> None:
    """Each service with who is logged in there."""
    active = {entry.provider: entry for entry in keeper.accounts(all=True) if entry.active}
    known = sessionkeeper.providers()
    lines = [
        (entry.name, services.account_name(active[entry.id].account) if entry.id in active else "")
        for entry in known
    ]
    shown = [entry.id for entry in known].index(settings.chosen_service())
    chosen = dialogs.choose(text("choose_service"), lines, shown)
    if chosen is not None:
        settings.choose_service(known[chosen].id)
