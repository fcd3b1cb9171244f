"""What buttons do: RunScript(script.sessionkeeper,<verb>[,<argument>…]).

Owns the verbs and what all of them have in common; each screen has a file of its own, which alone
is imported. With "settings" as an argument the button was pressed in the settings dialog, which has
closed itself to save; it is opened again afterwards, with the new state. Without a verb the
settings open. Where the add-on cannot run at all, any of them says so.

Any add-on may have such buttons, without Python of its own: `login` and `logout` take
provider=<id or file>, the provider's parameters as <name>=<value>, and settings=<id of the add-on>,
whose settings are opened again. What the viewer does there is about the shared accounts.
"""

from __future__ import annotations

import xbmc

from sessionkeeper.errors import InvalidInput
from sessionkeeper.kodi import (
    addons,
    error_boundary,
    log,
    machine,
    service_choice,
    settings,
    settings_file,
    status_display,
)
from sessionkeeper.kodi.strings import ADDON_ID, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import Keeper

    Action = Callable[[Keeper], object]

VERBS = {
    "service": "service_choice.choose",
    "setup": "service_choice.set_up",
    "login": "login.log_in",
    "logout": "logout.log_out",
    "logout_everywhere": "logout.log_out_everywhere",
    "accounts": "account_list.manage",
    "details": "stored_data.show_details",
    "logout_all": "everything.log_out",
    "drain": "logout.try_waiting",
    "audit": "stored_data.show_audit",
    "forget": "stored_data.forget",
}
# They concern every service, so they work where the chosen one is not set up.
FOR_ALL_SERVICES = ("service", "setup", "logout_all", "drain", "audit", "forget")
# What the buttons of other add-ons may do.
FOR_ADDONS = ("login", "logout")


def find(arguments: list[str]) -> Action | None:
    """Imports what the verb needs. None where there is no verb, or an unknown one."""
    verb, *given = arguments or [""]
    file, _, name = VERBS.get(verb, "").partition(".")
    if not file:
        return None
    # The add-on whose button it is may use the account that the viewer logs in with.
    addon = _options(given).get("settings") if verb == "login" else None
    name = "log_in_for" if addon else name
    action = getattr(__import__(f"{__package__}.{file}", fromlist=[name]), name)
    if addon:
        return lambda keeper: action(keeper, addon)
    found: Action = action
    return found


def main(action: Action | None, arguments: list[str]) -> None:
    why = machine.misfit()
    if why:
        machine.show(why)
        return
    # Made now: one that is made after Kodi has told its scripts to end never hears of it.
    monitor = xbmc.Monitor()
    options = _options(arguments[1:])
    addon = options.get("settings")
    if action:
        error_boundary.attend(lambda: perform(action, arguments[0], options))
    elif arguments:
        log.warning(f"no such action, known are: {', '.join(VERBS)}")
    if addon and not addons.is_installed(addon):
        return
    if monitor.abortRequested() or (arguments and addon is None):
        return
    if addon and addon != ADDON_ID:
        xbmc.executebuiltin(f"Addon.OpenSettings({addon})")
    else:
        settings_file.open_dialog(monitor)


def perform(action: Action, verb: str, options: dict[str, str]) -> None:
    """Runs one action and puts the new state into the settings."""
    monitor = xbmc.Monitor()
    keeper: Keeper | None
    if options.get("provider") is not None or options.get("settings"):
        keeper = _keeper_for_addon(verb, options, monitor.abortRequested)
    elif verb in FOR_ALL_SERVICES:
        keeper, _ = settings.open_any(monitor.abortRequested)
    elif verb == "login":
        keeper = service_choice.open_for_login(settings.chosen_service(), {})
    else:
        keeper = settings.open_keeper(monitor.abortRequested)
    if keeper is None:
        return  # she gave up
    try:
        action(keeper)
    finally:
        log.forward(keeper)
        if not monitor.abortRequested():
            # Opened anew: the action may have chosen another service.
            keeper, complete = settings.open_any(monitor.abortRequested)
            status_display.show(keeper, complete)


def _keeper_for_addon(
    verb: str, options: dict[str, str], stop: Callable[[], bool]
) -> Keeper | None:
    """What another add-on's button is about. Raises InvalidInput for one that cannot be meant."""
    parameters = dict(options)
    provider, addon = parameters.pop("provider", ""), parameters.pop("settings", "")
    if verb not in FOR_ADDONS:
        raise InvalidInput(text("button_wrong_verb", verb=verb, known=", ".join(FOR_ADDONS)))
    if not provider:
        raise InvalidInput(text("button_no_provider"))
    if addon and not addons.is_installed(addon):
        raise InvalidInput(text("button_no_addon", addon=addon))
    if verb == "login":
        return service_choice.open_for_login(provider, parameters)
    return settings.open_service(provider, parameters, stop)


def _options(arguments: list[str]) -> dict[str, str]:
    """The arguments by name; "" for one that is a name alone."""
    pairs = (argument.partition("=") for argument in arguments)
    return {name.strip(): value.strip() for name, _, value in pairs}
