"""The state shown in the settings dialog.

Owns the settings that are there to be looked at: the chosen service's name and set-up, the status
line, the waiting logouts, and the internal ones that decide which buttons are visible. Their truth
is in the vault; the file may lag behind it, since a dialog left with OK or Cancel brings old values
back. So the service shows the state anew after each change of the settings and each time the dialog
closes.
The e-mail address of the account stands in settings.xml while somebody is logged in, and leaves it
with the logout. No secret ever does.
"""

from __future__ import annotations

from sessionkeeper.kodi import services, settings, settings_file
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper, Provider


def show(keeper: Keeper, complete: bool) -> None:
    """Puts the state into the settings. `complete` is False where the chosen service is not set up
    yet, or gone; of the keeper, then another's, only the waiting logouts count.
    """
    chosen, status = settings.chosen_service(), keeper.status()
    service = keeper.describe() if complete else services.find(chosen)
    waiting = status.pending_revocations
    state = "signed_in" if status.usable else status.state
    has_setup, setup, is_set_up = _setup(service) if service else (False, "", False)
    if complete:
        line = services.state_line(status)
    elif is_set_up:
        line = text("state_signed_out")  # what is secret comes with a login
    else:
        line = text("state_incomplete" if service else "state_unavailable")
    settings_file.write(
        {
            "service_label": service.name if service else chosen,
            "setup_label": setup,
            "has_setup": _flag(has_setup),
            "account_label": line,
            "account_state": state if complete else "signed_out",
            "waiting_label": str(waiting) if waiting else text("waiting_none"),
            "waiting": _flag(waiting > 0),
            "everywhere": _flag(complete and service is not None and service.everywhere),
        }
    )


def _setup(service: Provider) -> tuple[bool, str, bool]:
    """Whether the viewer is asked for anything, what she has said, and whether that is enough."""
    asked = services.asked(service, for_developers=settings.for_developers())
    given = settings.parameters(service.id) if asked else {}
    said = ", ".join(filter(None, (given.get(one.name) for one in asked)))
    known = {*given, *(one.name for one in services.secrets(service))}
    is_enough = all(one.default is not None or one.name in known for one in service.parameters)
    return bool(asked), said, is_enough


def _flag(value: bool) -> str:
    """A boolean as Kodi stores it."""
    return "true" if value else "false"
