"""The add-on's settings, and what they mean for `sessionkeeper.open`.

Owns the names and units of the settings in resources/settings.xml, with `viewer_options`. A
parameter of a provider has the setting "parameter_<its name>"; of those that are filled in, only
what the chosen provider declares is passed on.
"""

from __future__ import annotations

import xbmcvfs

import sessionkeeper
from sessionkeeper.errors import ParameterMissing
from sessionkeeper.kodi import proxy, services, viewer_options
from sessionkeeper.kodi.settings_file import Settings, write
from sessionkeeper.kodi.strings import IDS, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import RegisteredVault


def open_keeper(stop: Callable[[], bool]) -> sessionkeeper.Keeper:
    """The keeper of this Kodi profile, set up as the settings say. `stop` ends whatever it does.

    Raises ParameterMissing, with the name of the setting that is empty.
    """
    chosen = Settings()
    provider = chosen.text("provider")
    return _open(chosen, provider, _parameters(chosen, provider), stop)


def open_service(
    provider: str, parameters: dict[str, str], stop: Callable[[], bool]
) -> sessionkeeper.Keeper:
    """The keeper of any service, by its id or its file. Where it is the chosen one, and no
    parameters are given, they are as the settings say.
    """
    chosen = Settings()
    if not parameters and provider == chosen.text("provider"):
        parameters = _parameters(chosen, provider)
    if "://" in provider:
        provider = xbmcvfs.translatePath(provider)
    return _open(chosen, provider, parameters, stop)


def open_vault(vault: RegisteredVault, stop: Callable[[], bool]) -> sessionkeeper.Keeper:
    """A keeper of an add-on's private vault, for what concerns whoever is logged in there."""
    return sessionkeeper.open(
        _needs_nothing(),
        data_dir=vault.data_dir,
        key_dir=vault.key_dir,
        addon=vault.addon,
        stop=stop,
        **viewer_options.of(Settings()),
    )


def parameter(setting: str) -> str:
    """What is entered in this setting."""
    return Settings().text(setting)


def set_parameter(setting: str, value: str) -> None:
    write({setting: value})


def longest_wait() -> float:
    """How long a request may take, in seconds."""
    return float(Settings().number("timeout"))


def logout_limit() -> float:
    """How long a logout tries to tell the server before that is left for later, in seconds."""
    return min(viewer_options.LOGOUT_LIMIT_S, longest_wait())


def chosen_service() -> str:
    """The id of the service that the settings show."""
    return Settings().text("provider")


def choose_service(provider: str) -> None:
    write({"provider": provider})


def open_any(stop: Callable[[], bool]) -> tuple[sessionkeeper.Keeper, bool]:
    """A keeper for what concerns every service, such as the logouts that wait. True: it is the one
    of the chosen service; False: that one is not set up, and another's took its place.
    """
    try:
        return open_keeper(stop), True
    except ParameterMissing:
        pass
    return _open(Settings(), _needs_nothing(), {}, stop), False


def _needs_nothing() -> str:
    """The id of a service that is complete without any parameter."""
    return next(
        entry.id
        for entry in sessionkeeper.providers()
        if all(parameter.default is not None for parameter in entry.parameters)
    )


def _open(
    chosen: Settings,
    provider: str,
    parameters: dict[str, str],
    stop: Callable[[], bool],
) -> sessionkeeper.Keeper:
    return sessionkeeper.open(
        provider, parameters=parameters, stop=stop, **viewer_options.of(chosen)
    )


def _parameters(chosen: Settings, provider: str) -> dict[str, str]:
    values = {}
    service = services.find(provider)
    for parameter in service.parameters if service else ():
        name = f"parameter_{parameter.name}"
        value = chosen.text(name).strip()
        if value:
            values[parameter.name] = value
        elif parameter.default is None:
            label = text(name) if name in IDS else parameter.name
            raise ParameterMissing(
                text("parameter_missing", setting=label),
                text("parameter_example", value=parameter.example),
            )
    return values


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
