"""Logging in: with a name and a password, or with a code on another device, as the service has it.

Owns the questions, and what is asked again after which failure. The password lives in one local
variable until the keeper has it. Of a login with a code it owns the order: ask for a code, show it,
wait, offer a new one when it has expired; no password passes through this device.
"""

from __future__ import annotations

from sessionkeeper.errors import Cancelled, CodeExpired, CredentialsRefused, Error, NetworkError
from sessionkeeper.kodi import dialogs, notifications, services
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper


def log_in(keeper: Keeper) -> None:
    """Adds an account, or brings a stored one back; it is the active one afterwards."""
    found = services.find(keeper.provider)
    way = with_code if found and found.login == "device_code" else with_password
    if way(keeper, services.name(keeper.provider)):
        notifications.show(text("logged_in"))


def with_password(keeper: Keeper, service: str) -> bool:
    """Whether the viewer logged in."""
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
        except CredentialsRefused as error:
            dialogs.show_error(service, error)
        except NetworkError as error:
            dialogs.show_error(service, error, text("network_trouble", service=service))
            return False


def with_code(keeper: Keeper, service: str) -> bool:
    """Whether the viewer logged in. Raises Cancelled when the window was left while waiting."""
    try:
        return _show_codes(keeper, service)
    except Cancelled:
        raise
    except Error as error:
        dialogs.show_error(service, error)
        return False


def _show_codes(keeper: Keeper, service: str) -> bool:
    from sessionkeeper.kodi.code_window import CodeWindow

    with CodeWindow(service) as window:
        while True:
            window.show_asking()
            login = keeper.start_device_login(stop=window.stopped)
            window.show_code(login)
            try:
                login.wait(stop=window.stopped)
                return True
            except CodeExpired:
                window.show_expired()
            if not window.wait_for_new_code():
                return False
