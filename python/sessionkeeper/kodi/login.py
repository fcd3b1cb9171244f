"""Logging in: with a name and a password, or with a code on another device, as the service has it.

Owns the questions, and what is asked again after which failure: nothing after trouble with the
network, the password after a refusal. The password lives in one local variable until the viewer is
logged in or gives up; what the service asks besides in none. Of a login with a code it owns the
order: ask for a code, show it, wait, offer a new one when it has expired; no password passes
through this device.
"""

from __future__ import annotations

from sessionkeeper.errors import (
    AnswerRefused,
    Cancelled,
    CodeExpired,
    CredentialsRefused,
    Error,
    NetworkError,
    UnexpectedAnswer,
)
from sessionkeeper.kodi import dialogs, notifications, settings
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    from sessionkeeper import Keeper, Provider, Session
    from sessionkeeper._types import Answering

    Way = Callable[[Keeper, str], Optional[Session]]


def log_in(keeper: Keeper) -> Session | None:
    """Adds an account, or brings a stored one back; it is the active one afterwards. For an add-on
    that may not use the one that there is, the viewer is asked for that.
    """
    if keeper.status().state == "needs_permission":
        session = keeper.restore() if keeper.request_access(again=True) else None
        # What she has allowed may have ended meanwhile.
        if session or keeper.status().state == "needs_permission":
            return session
    return add(keeper)


def add(keeper: Keeper) -> Session | None:
    """Logs in, whoever is logged in already."""
    service = keeper.describe()
    if not _agrees_to_no_encryption(keeper, service.name):
        return None
    way = _choose_way(service)
    session = way(keeper, service.name) if way else None
    if session:
        notifications.show(text("logged_in"))
    return session


def _choose_way(service: Provider) -> Way | None:
    """The service's only way in, or else the one that the viewer chooses; None when she gave up, or
    when there is none for a television."""
    ways: dict[str, Way] = {"password": with_password, "device_code": with_code}
    known = [kind for kind in service.logins if kind in ways]
    if not known:
        dialogs.show_message(service.name, text("needs_browser"))
        return None
    if len(known) < 2:
        return ways[known[0]]
    heading = text("code_heading", service=service.name)
    chosen = dialogs.choose(heading, [(text(f"way_{kind}"), "") for kind in known])
    return None if chosen is None else ways[known[chosen]]


def log_in_for(keeper: Keeper, addon: str) -> None:
    """The same for an add-on whose button the viewer has pressed, with the keeper that is hers. The
    account is the add-on's to use then; where one is logged in, she is asked about that one.
    """
    status = keeper.status()
    if not status.usable or status.account is None:
        session = log_in(keeper)
        if session:
            keeper.set_permission(addon, session.account.id, True)
        return
    from sessionkeeper.kodi import consent, services

    answers = [one for one in keeper.permissions() if one.account == status.account.id]
    allowed: bool | None = any(one.addon == addon and one.allowed for one in answers)
    if not allowed:
        allowed = consent.ask(addon, keeper.describe().name, status.account)
        if allowed is not None:
            keeper.set_permission(addon, status.account.id, allowed)
    if allowed:
        notifications.show(services.state_line(status))


def _agrees_to_no_encryption(keeper: Keeper, service: str) -> bool:
    """True where there is nothing to agree to."""
    for address in keeper.unencrypted():
        question = text("not_encrypted_question", service=service, address=address)
        if not dialogs.confirm(text("not_encrypted"), question, text("log_in_anyway")):
            return False
        keeper.allow_unencrypted(address)
    return True


def with_password(keeper: Keeper, service: str) -> Session | None:
    """None when the viewer gave up, Cancelled when she did so while it went on. What was typed is
    kept until then, here and nowhere else."""
    limit = settings.longest_wait()
    name, password = dialogs.ask_user_name(service, ""), ""
    while name:
        password = password or dialogs.ask_password(service)
        if not password:
            return None
        try:
            with dialogs.Progress(service, text("logging_in", service=service), limit) as progress:
                answer = _answering(service, progress)
                return keeper.login(name, password, answer=answer, stop=progress.stopped)
        except (AnswerRefused, CodeExpired) as error:
            if not _is_begun_anew(service, error):
                return None
        except CredentialsRefused:
            name, password = _name_after_refusal(service, name), ""
        except (NetworkError, UnexpectedAnswer) as error:
            if not _is_tried_again(service, error):
                return None
    return None


def _answering(service: str, progress: dialogs.Progress) -> Answering:
    """Puts what the service asks besides to the viewer."""
    return lambda question: progress.aside(lambda: dialogs.ask_answer(service, question)) or None


def _is_begun_anew(service: str, error: AnswerRefused | CodeExpired) -> bool:
    words = text(f"error_{error.code}") if isinstance(error, AnswerRefused) else error.message
    return dialogs.offer(service, dialogs.plain(words), text("try_again")) is not None


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


def with_code(keeper: Keeper, service: str) -> Session | None:
    """None when the viewer gave up. Raises Cancelled when the window was left while waiting."""
    try:
        return _show_codes(keeper, service)
    except Cancelled:
        raise
    except Error as error:
        dialogs.show_error(service, error)
        return None


def _show_codes(keeper: Keeper, service: str) -> Session | None:
    from sessionkeeper.kodi.code_window import CodeWindow

    with CodeWindow(service) as window:
        while True:
            window.show_asking()
            login = keeper.start_device_login(stop=window.stopped)
            window.show_code(login)
            try:
                return login.wait(stop=window.stopped)
            except CodeExpired:
                window.show_expired()
            if not window.wait_for_new_code():
                return None
