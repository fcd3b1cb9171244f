"""Logging in: with a name and a password, or with a code on another device, as the service has it.

Owns the questions, and what is asked again after which failure. The password lives in one local
variable until the keeper has it.
"""

from __future__ import annotations

import sessionkeeper
from sessionkeeper.kodi import device_login, dialogs, notifications, services
from sessionkeeper.kodi.strings import text


def log_in(keeper: sessionkeeper.Keeper) -> None:
    """Adds an account, or brings a stored one back; it is the active one afterwards."""
    service = services.name(keeper.provider)
    way = with_code if services.is_device_login(keeper.provider) else with_password
    if way(keeper, service):
        notifications.tell(text("logged_in"))


def with_password(keeper: sessionkeeper.Keeper, service: str) -> bool:
    name = ""
    while True:
        name = dialogs.ask_user_name(service, name)
        password = dialogs.ask_password(service) if name else ""
        if not password:
            return False
        try:
            with dialogs.Progress(service, text("logging_in", service=service)) as stopped:
                keeper.login(name, password, stop=stopped)
            return True
        except sessionkeeper.CredentialsRefused as error:
            dialogs.show_error(service, error)
        except sessionkeeper.NetworkError as error:
            dialogs.show_error(service, error, text("network_trouble", service=service))
            return False


def with_code(keeper: sessionkeeper.Keeper, service: str) -> bool:
    try:
        return device_login.log_in(keeper, service)
    except sessionkeeper.Cancelled:
        raise
    except sessionkeeper.Error as error:
        dialogs.show_error(service, error)
        return False
