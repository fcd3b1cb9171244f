"""Logging in: with a name and a password, or with a code on another device, as the service has it.

Owns the questions, and what is asked again after which failure: nothing after trouble with the
network, the password after a refusal. The password lives in one local variable until the viewer is
logged in or gives up. Of a login with a code it owns the order: ask for a code, show it,
wait, offer a new one when it has expired; no password passes through this device.
"""

from __future__ import annotations

from sessionkeeper.errors import (
    Cancelled,
    CodeExpired,
    CredentialsRefused,
    Error,
    NetworkError,
    UnexpectedAnswer,
)
from sessionkeeper.kodi import dialogs, notifications, services, settings
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
    """Whether the viewer logged in. What was typed is kept until then, here and nowhere else."""
    limit = settings.longest_wait()
    name, password = dialogs.ask_user_name(service, ""), ""
    while name:
        password = password or dialogs.ask_password(service)
        if not password:
            return False
        try:
            with dialogs.Progress(service, text("logging_in", service=service), limit) as stopped:
                keeper.login(name, password, stop=stopped)
            return True
        except CredentialsRefused:
            name, password = _name_after_refusal(service, name), ""
        except (NetworkError, UnexpectedAnswer) as error:
            if not _is_tried_again(service, error):
                return False
    return False


def _name_after_refusal(service: str, name: str) -> str:
    """The same, another, or "" when the viewer gives up."""
    words = text("refused", service=service, account=dialogs.plain(name))
    chosen = dialogs.offer(service, words, text("try_again"), text("other_name"))
    if chosen == 1:
        return dialogs.ask_user_name(service, name)
    return name if chosen == 0 else ""


def _is_tried_again(service: str, error: NetworkError | UnexpectedAnswer) -> bool:
    title = "unreachable" if isinstance(error, NetworkError) else "unexpected"
    lines = [text("nothing_lost"), *(dialogs.plain(line) for line in (error.message, error.hint))]
    words = "[CR]".join(filter(None, lines))
    return dialogs.offer(text(title, service=service), words, text("try_again")) is not None


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
