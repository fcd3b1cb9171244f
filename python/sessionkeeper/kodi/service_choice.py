"""Which service the settings show, and what it needs: asked for, and saved at once.

The list is made of the provider files, those of add-ons included. A list or a field inside the
settings dialog would show one service above the status and the buttons of another until the viewer
leaves the dialog.
"""

from __future__ import annotations

import xbmc

from sessionkeeper.errors import Error, ParameterMissing
from sessionkeeper.kodi import addons, dialogs, services, settings
from sessionkeeper.kodi.strings import ADDON_ID, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper, Parameter, Provider, StoredAccount


def choose(keeper: Keeper) -> None:
    """Each service with who is logged in there, and which add-on brings it."""
    active = {entry.provider: entry for entry in keeper.accounts(all=True) if entry.active}
    before, for_developers = settings.chosen_service(), settings.for_developers()
    known = services.offered({before, *active}, for_developers=for_developers)
    gone = set(active) - {entry.id for entry in known}
    known += filter(None, map(_stored, sorted(gone)))
    shown = next((number for number, entry in enumerate(known) if entry.id == before), -1)
    number = dialogs.choose(
        text("choose_service"),
        [(entry.name, _below(entry, active.get(entry.id))) for entry in known],
        shown,
        [addons.icon(entry.addon or ADDON_ID) for entry in known],
    )
    if number is None:
        return
    service, given = known[number], settings.parameters(known[number].id)
    open_ones = services.asked(service, for_developers=for_developers)
    missing = [one for one in open_ones if one.default is None and not given.get(one.name)]
    values = _ask(service, missing, given) if missing else given
    if values is not None:
        settings.choose_service(service.id, values)


def set_up(_: Keeper) -> None:
    """What the viewer has said about the chosen service can be said anew."""
    service = services.find(settings.chosen_service())
    if service is None:
        return
    open_ones = services.asked(service, for_developers=settings.for_developers())
    given, number = settings.parameters(service.id), 0 if len(open_ones) == 1 else None
    if len(open_ones) > 1:
        lines = [(one.about, given.get(one.name) or one.default or "") for one in open_ones]
        number = dialogs.choose(service.name, lines)
    if number is None:
        return
    values = _ask(service, open_ones[number : number + 1], given)
    if values is not None:
        settings.choose_service(service.id, values)


def _ask(
    service: Provider, parameters: list[Parameter], given: dict[str, str]
) -> dict[str, str] | None:
    """What was given, with these anew; None where the viewer gives up. What the service cannot be
    opened with is asked for once more.
    """
    stop = xbmc.Monitor().abortRequested
    while True:
        for parameter in parameters:
            before = given.get(parameter.name, "")
            value = dialogs.ask_text(f"{service.name}: {parameter.about}", before)
            if value is None or not (value or parameter.default is not None):
                return None
            given = {**given, parameter.name: value}
        given = {name: value for name, value in given.items() if value}
        try:
            settings.open_service(service.id, given, stop)
        except ParameterMissing:
            return given  # a secret, which is asked for when she logs in
        except Error as error:
            dialogs.show_error(service.name, error)
        else:
            return given


def open_for_login(provider: str, parameters: dict[str, str]) -> Keeper | None:
    """The keeper of a service that the viewer is about to log in to, with the secrets that she is
    asked for: they are kept with the login alone, sealed. None where she gives up.
    """
    stop = xbmc.Monitor().abortRequested
    try:
        return settings.open_service(provider, parameters, stop)
    except ParameterMissing:
        service = services.find(provider)
        secrets = services.secrets(service) if service else []
        given = parameters or settings.parameters(provider)
        missing = [one for one in secrets if not given.get(one.name)]
        if service is None or not missing:
            raise
    for secret in missing:
        value = dialogs.ask_secret(f"{service.name}: {secret.about}")
        if not value:
            return None
        given = {**given, secret.name: value}
    return settings.open_service(provider, given, stop)


def _stored(provider: str) -> Provider | None:
    """One whose add-on is gone, as it is kept with who is logged in there."""
    try:
        return settings.open_service(provider, {}, xbmc.Monitor().abortRequested).describe()
    except Error:
        return None


def _below(service: Provider, active: StoredAccount | None) -> str:
    words = [services.account_name(active.account)] if active else []
    if service.addon:
        words.append(text("service_from", addon=addons.name(service.addon)))
    return " · ".join(words)
