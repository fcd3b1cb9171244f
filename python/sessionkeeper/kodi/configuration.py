"""The add-on's settings as arguments of sessionkeeper.open.

Owns the names and units of the settings in resources/settings.xml, and reads them anew at each
call. It never stores a value that it read. A parameter of a provider has the setting
"parameter_<its name>"; of those that are filled in, only what the chosen provider declares is
passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import xbmcvfs

import sessionkeeper
from sessionkeeper.errors import ParameterMissing
from sessionkeeper.kodi import paths, proxy, settings
from sessionkeeper.kodi.strings import ADDON_ID, IDS, text

if TYPE_CHECKING:
    import xbmcaddon

    from sessionkeeper.shapes import ParameterShape

CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 15.0
LOGOUT_LIMIT_S = 10.0


def open_keeper(stop: Callable[[], bool]) -> sessionkeeper.Keeper:
    """The keeper of this Kodi profile, set up as the settings say. `stop` ends whatever it does.

    Raises ParameterMissing, with the name of the setting that is empty.
    """
    chosen = settings.fresh().getSettings()
    provider = chosen.getString("provider")
    return _open(chosen, provider, _parameters(chosen, provider), stop)


def open_any(stop: Callable[[], bool]) -> tuple[sessionkeeper.Keeper, bool]:
    """A keeper for what concerns every service, such as the logouts that wait. True: it is the one
    of the chosen service; False: that one is not set up, and another's took its place.
    """
    try:
        return open_keeper(stop), True
    except ParameterMissing:
        pass
    chosen = settings.fresh().getSettings()
    complete = next(
        entry["id"]
        for entry in sessionkeeper.providers()
        if all(parameter["default"] is not None for parameter in entry["parameters"])
    )
    return _open(chosen, complete, {}, stop), False


def _open(
    chosen: xbmcaddon.Settings,
    provider: str,
    parameters: dict[str, str],
    stop: Callable[[], bool],
) -> sessionkeeper.Keeper:
    timeout = float(chosen.getInt("timeout"))
    ca_file = chosen.getString("ca_file")
    return sessionkeeper.open(
        provider,
        parameters=parameters,
        data_dir=paths.data_directory(ADDON_ID),
        ca_file=xbmcvfs.translatePath(ca_file) if ca_file else None,
        proxy=proxy.chosen(chosen.getString("proxy_mode"), chosen.getString("proxy_address")),
        timeout=timeout,
        connect_timeout=min(CONNECT_LIMIT_S, timeout),
        answer_timeout=min(ANSWER_LIMIT_S, timeout),
        logout_deadline=min(LOGOUT_LIMIT_S, timeout),
        renewal_margin=60 * chosen.getInt("renewal_margin"),
        log_level=chosen.getString("log_level"),
        stop=stop,
    )


def _parameters(chosen: xbmcaddon.Settings, provider: str) -> dict[str, str]:
    values = {}
    for parameter in _declared(provider):
        name = f"parameter_{parameter['name']}"
        value = chosen.getString(name).strip()
        if value:
            values[parameter["name"]] = value
        elif parameter["default"] is None:
            label = text(name) if name in IDS else parameter["name"]
            raise ParameterMissing(
                text("parameter_missing", setting=label),
                text("parameter_example", value=parameter["example"]),
            )
    return values


def _declared(provider: str) -> list[ParameterShape]:
    for entry in sessionkeeper.providers():
        if entry["id"] == provider:
            return entry["parameters"]
    return []


def clear_proxy_password() -> bool:
    """Takes a user name and password out of the proxy address, should somebody have entered them.
    Returns whether there were any.
    """
    address = settings.fresh().getSetting("proxy_address")
    if not proxy.holds_password(address):
        return False
    settings.write({"proxy_address": proxy.without_password(address)})
    return True
