"""The add-on's settings: read whole, never remembered, and what they mean for `sessionkeeper.open`.

Kodi rewrites settings.xml in place, whole, from the memory of one Addon object, and every
interpreter has its own objects. So a fresh object may meet a file that is being written, or one
that a power cut left half written: it then answers with the defaults, and saving it would lose the
viewer's choices. This file owns the three rules that follow: never use an object that has not read
the file, never keep one, and take a damaged file away, or the add-on would never work again.

It also owns the names and units of the settings in resources/settings.xml. A parameter of a
provider has the setting "parameter_<its name>"; of those that are filled in, only what the chosen
provider declares is passed on.
"""

from __future__ import annotations

import os

import xbmc
import xbmcaddon
import xbmcvfs

import sessionkeeper
from sessionkeeper.errors import ParameterMissing, StorageError
from sessionkeeper.kodi import log, notifications, paths, proxy, services
from sessionkeeper.kodi.strings import ADDON_ID, IDS, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

TRIES = 20
PAUSE_MS = 50
CONNECT_LIMIT_S = 10.0
ANSWER_LIMIT_S = 15.0
LOGOUT_LIMIT_S = 10.0


# The keeper


def open_keeper(stop: Callable[[], bool]) -> sessionkeeper.Keeper:
    """The keeper of this Kodi profile, set up as the settings say. `stop` ends whatever it does.

    Raises ParameterMissing, with the name of the setting that is empty.
    """
    chosen = fresh().getSettings()
    provider = chosen.getString("provider")
    return _open(chosen, provider, _parameters(chosen, provider), stop)


def longest_wait() -> float:
    """How long a request may take, in seconds."""
    return float(fresh().getSettings().getInt("timeout"))


def logout_limit() -> float:
    """How long a logout tries to tell the server before that is left for later, in seconds."""
    return min(LOGOUT_LIMIT_S, longest_wait())


def chosen_service() -> str:
    """The id of the service that the settings show."""
    return str(fresh().getSettings().getString("provider"))


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
    complete = next(
        entry.id
        for entry in sessionkeeper.providers()
        if all(parameter.default is not None for parameter in entry.parameters)
    )
    return _open(fresh().getSettings(), complete, {}, stop), False


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
    service = services.find(provider)
    for parameter in service.parameters if service else ():
        name = f"parameter_{parameter.name}"
        value = chosen.getString(name).strip()
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
    if fresh().getSetting("misfit") == which:
        return False
    write({"misfit": which})
    return True


def clear_proxy_password() -> bool:
    """Takes a user name and password out of the proxy address, should somebody have entered them.
    Returns whether there were any.
    """
    address = fresh().getSetting("proxy_address")
    if not proxy.holds_password(address):
        return False
    write({"proxy_address": proxy.without_password(address)})
    return True


# The file


def fresh() -> xbmcaddon.Addon:
    """The add-on with its settings as they are in the file now."""
    before = _last_written()
    for _ in range(TRIES):
        addon = xbmcaddon.Addon(ADDON_ID)
        if _is_whole(addon):
            return addon
        xbmc.sleep(PAUSE_MS)
    # Nobody is writing it: it is damaged.
    if before == _last_written():
        _remove()
    addon = xbmcaddon.Addon(ADDON_ID)
    if _is_whole(addon):
        return addon
    raise StorageError(text("settings_unreadable"))


def write(values: dict[str, str]) -> None:
    """Saves those that differ; each save reports a change to every monitor of the add-on.

    While the add-on's settings dialog is open, Kodi puts them into the dialog instead, which shows
    them at once, and into the file only when the viewer leaves it with OK.
    """
    addon = fresh()
    for name, value in values.items():
        if addon.getSetting(name) != value:
            addon.setSetting(name, value)


def _is_whole(addon: xbmcaddon.Addon) -> bool:
    """Whether the object has read the file. If not, getSetting answers with the default or with
    nothing; only the typed functions refuse.
    """
    try:
        return bool(addon.getSettings().getString("provider"))
    except TypeError:
        return False


def _remove() -> None:
    """The defaults take its place. It is not kept, since the account's address may stand in it."""
    try:
        os.remove(_path())
    except OSError as error:
        log.error(f"the damaged settings file cannot be removed: {type(error).__name__}")
        return
    log.warning("the settings file was damaged: all settings are back to their defaults")
    notifications.warn(text("settings_unreadable"))


def _last_written() -> tuple[int, int] | None:
    try:
        found = os.stat(_path())
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _path() -> str:
    return os.path.join(paths.data_directory(ADDON_ID), "settings.xml")
