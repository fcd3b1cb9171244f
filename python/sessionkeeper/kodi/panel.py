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
from sessionkeeper.kodi import settings
from sessionkeeper.kodi.strings import text


def show(status: sessionkeeper.Status) -> None:
    """Puts the state into the settings."""
    waiting = status.pending_revocations
    settings.write(
        {
            "account_label": status_line(status),
            "account_state": status.state,
            "waiting_label": str(waiting) if waiting else text("waiting_none"),
            "waiting": settings.flag(waiting > 0),
            "everywhere": settings.flag(can_log_out_everywhere(status.provider)),
        }
    )


def status_line(status: sessionkeeper.Status) -> str:
    if status.state == "signed_out":
        return text("state_signed_out")
    account = account_name(status)
    return text(
        "state_expired" if status.state == "expired" else "state_signed_in", account=account
    )


def account_name(status: sessionkeeper.Status) -> str:
    """What the viewer knows the account by."""
    account = status.account
    return (account and (account.email or account.name or account.id)) or text("unknown_account")


def can_log_out_everywhere(provider: str) -> bool:
    return any(
        entry["id"] == provider and entry["everywhere"] for entry in sessionkeeper.providers()
    )
