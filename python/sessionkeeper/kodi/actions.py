"""What the settings' buttons do: RunScript(script.sessionkeeper,<verb>[,settings]).

Owns the verbs and what all of them have in common; each screen has a file of its own, which alone
is imported. With "settings" as the last argument the button was pressed in the settings dialog,
which has closed itself to save; it is opened again afterwards, with the new state. Without a verb
the settings open. Where the add-on cannot run at all, any of them says so.
"""

from __future__ import annotations

import xbmc

from sessionkeeper.errors import Cancelled, Error
from sessionkeeper.kodi import dialogs, log, machine, settings, status_display
from sessionkeeper.kodi.strings import ADDON_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import Keeper

    Action = Callable[[Keeper], None]

VERBS = {
    "service": "service_choice.choose",
    "login": "login.log_in",
    "logout": "logout.log_out",
    "logout_everywhere": "logout.log_out_everywhere",
    "accounts": "accounts.manage",
    "details": "stored_data.show_details",
    "drain": "logout.try_waiting",
    "audit": "stored_data.show_audit",
    "forget": "stored_data.forget",
}
# They concern every service, so they work where the chosen one is not set up.
FOR_ALL_SERVICES = ("service", "drain", "audit", "forget")


def find(arguments: list[str]) -> Action | None:
    """Imports what the verb needs. None where there is no verb, or an unknown one."""
    file, _, name = VERBS.get(arguments[0] if arguments else "", "").partition(".")
    if not file:
        return None
    action: Action = getattr(__import__(f"{__package__}.{file}", fromlist=[name]), name)
    return action


def main(action: Action | None, arguments: list[str]) -> None:
    why = machine.misfit()
    if why:
        machine.show(why)
        return
    if action:
        perform(action, needs_service=arguments[0] not in FOR_ALL_SERVICES)
    elif arguments:
        log.warning(f"no such action, known are: {', '.join(VERBS)}")
    if not xbmc.Monitor().abortRequested() and (not arguments or "settings" in arguments[1:]):
        xbmc.executebuiltin(f"Addon.OpenSettings({ADDON_ID})")


def perform(action: Action, *, needs_service: bool) -> None:
    """Runs one action, shows its error, and puts the new state into the settings."""
    monitor = xbmc.Monitor()
    try:
        if needs_service:
            keeper = settings.open_keeper(monitor.abortRequested)
        else:
            keeper, _ = settings.open_any(monitor.abortRequested)
        try:
            action(keeper)
        finally:
            log.forward(keeper)
            if not monitor.abortRequested():
                # Opened anew: the action may have chosen another service.
                keeper, complete = settings.open_any(monitor.abortRequested)
                status_display.show(keeper.status(), complete)
    except Cancelled:
        log.info("cancelled")
    except Error as error:
        log.error(f"{error.code}: {error.message}")
        dialogs.show_error(dialogs.TITLE, error)
