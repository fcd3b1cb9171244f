"""The state shown in the settings dialog.

Owns the settings that are there to be looked at: the status line, the waiting logouts, and the
internal ones that decide which buttons are visible. Their truth is in the vault; the file may lag
behind it, since a dialog left with OK or Cancel brings old values back. So the service shows the
state anew after each change of the settings and each time the dialog closes. The e-mail address
of the account stands in settings.xml while somebody is signed in, and leaves it with the logout. No
secret ever does.
"""

from __future__ import annotations

import sessionkeeper
from sessionkeeper.kodi import services, settings
from sessionkeeper.kodi.strings import text


def show(status: sessionkeeper.Status, complete: bool = True) -> None:
    """Puts the state into the settings. `complete` is False where the chosen service is not set up
    yet; of the status, then another's, only the waiting logouts count.
    """
    waiting = status.pending_revocations
    everywhere = complete and services.can_log_out_everywhere(status.provider)
    settings.write(
        {
            "account_label": status_line(status) if complete else text("state_incomplete"),
            "account_state": status.state if complete else "signed_out",
            "waiting_label": str(waiting) if waiting else text("waiting_none"),
            "waiting": settings.flag(waiting > 0),
            "everywhere": settings.flag(everywhere),
        }
    )


def status_line(status: sessionkeeper.Status) -> str:
    if status.state == "signed_out":
        return text("state_signed_out")
    account = services.account_name(status.account)
    return text(
        "state_expired" if status.state == "expired" else "state_signed_in", account=account
    )
