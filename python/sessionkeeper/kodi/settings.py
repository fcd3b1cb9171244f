"""The add-on's settings, and what they mean for `sessionkeeper.open`.

Owns the names and units of the settings in resources/settings.xml, with `viewer_options`. What the
viewer was asked for about her services is in one of them, as JSON, by their ids.
"""

from __future__ import annotations

import xbmcvfs

import sessionkeeper
from sessionkeeper.errors import InvalidInput, InvalidProvider, ParameterMissing, UnknownProvider
from sessionkeeper.kodi import proxy, services, viewer_options
from sessionkeeper.kodi.settings_file import Settings, write
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import RegisteredVault

# It is built in, and complete without any parameter.
USUAL = "angel"


def open_keeper(stop: Callable[[], bool]) -> sessionkeeper.Keeper:
    """The keeper of this Kodi profile, set up as the settings say. `stop` ends whatever it does.

    Raises ParameterMissing, which says what the service needs.
    """
    chosen = Settings()
    provider = chosen.text("provider")
    return _open(chosen, provider, _parameters(chosen, provider), stop)


def open_service(
    provider: str, parameters: dict[str, str], stop: Callable[[], bool]
) -> sessionkeeper.Keeper:
    """The keeper of any service, by its id or its file. Where no parameters are given, they are
    those that the viewer was asked for.
    """
    chosen = Settings()
    parameters = parameters or _parameters(chosen, provider)
    if "://" in provider:
        provider = xbmcvfs.translatePath(provider)
    return _open(chosen, provider, parameters, stop)


def open_vault(vault: RegisteredVault, stop: Callable[[], bool]) -> sessionkeeper.Keeper:
    """A keeper of an add-on's private vault, for what concerns whoever is logged in there."""
    return sessionkeeper.open(
        USUAL,
        data_dir=vault.data_dir,
        key_dir=vault.key_dir,
        addon=vault.addon,
        stop=stop,
        **viewer_options.of(Settings()),
    )


def longest_wait() -> float:
    """How long a request may take, in seconds."""
    return float(Settings().number("timeout"))


def logout_limit() -> float:
    """How long a logout tries to tell the server before that is left for later, in seconds."""
    return min(viewer_options.LOGOUT_LIMIT_S, longest_wait())


def chosen_service() -> str:
    """The id of the service that the settings show."""
    return Settings().text("provider")


def choose_service(provider: str, parameters: dict[str, str]) -> None:
    """The settings show this service from now on; its parameters are what the viewer has said."""
    import json

    stored = {**_stored(Settings()), provider: parameters}
    kept = {name: values for name, values in stored.items() if values}
    words = json.dumps(kept, sort_keys=True) if kept else ""
    write({"provider": provider, "parameters": words})


def parameters(provider: str) -> dict[str, str]:
    """What the viewer has said about this service."""
    return _parameters(Settings(), provider)


def for_developers() -> bool:
    """Whether she wants the services that are there to build and test with."""
    return Settings().flag("developer_services")


def open_any(stop: Callable[[], bool]) -> tuple[sessionkeeper.Keeper, bool]:
    """A keeper for what concerns every service, such as the logouts that wait. True: it is the one
    of the chosen service; False: that one is not set up, or gone, and another's took its place.
    """
    try:
        return open_keeper(stop), True
    except (ParameterMissing, UnknownProvider, InvalidProvider, InvalidInput):
        pass
    return _open(Settings(), USUAL, {}, stop), False


def _open(
    chosen: Settings,
    provider: str,
    parameters: dict[str, str],
    stop: Callable[[], bool],
) -> sessionkeeper.Keeper:
    try:
        return sessionkeeper.open(
            provider, parameters=parameters, stop=stop, **viewer_options.of(chosen)
        )
    except ParameterMissing as error:
        raise _missing(provider, parameters) or error from None


def _missing(provider: str, given: dict[str, str]) -> ParameterMissing | None:
    """In the viewer's words, and with the service's name."""
    service = services.find(provider)
    if service is None:
        return None
    for parameter in service.parameters:
        if parameter.default is None and not given.get(parameter.name):
            return ParameterMissing(
                text("parameter_missing", service=service.name, parameter=parameter.about),
                text("parameter_example", value=parameter.example),
            )
    return None


def _parameters(chosen: Settings, provider: str) -> dict[str, str]:
    values = _stored(chosen).get(provider)
    if not values:
        return {}
    # Its file may have changed since.
    service = services.find(provider)
    if service is None:
        return values
    known = {parameter.name for parameter in service.parameters}
    return {name: value for name, value in values.items() if name in known}


def _stored(chosen: Settings) -> dict[str, dict[str, str]]:
    """By the services' ids."""
    words = chosen.text("parameters")
    if not words:
        return {}
    import json

    try:
        stored: dict[str, dict[str, str]] = json.loads(words)
    except ValueError:
        return {}
    return stored


def note_misfit(which: str) -> bool:
    """Whether the viewer has not been told of it yet; from now on, it counts as told."""
    if Settings().text("misfit") == which:
        return False
    write({"misfit": which})
    return True


def clear_proxy_password() -> bool:
    """Takes a user name and password out of the proxy address, should somebody have entered them.
    Returns whether there were any.
    """
    address = Settings().text("proxy_address")
    if not proxy.holds_password(address):
        return False
    write({"proxy_address": proxy.without_password(address)})
    return True
