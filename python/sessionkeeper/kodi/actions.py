"""What the settings' buttons do: RunScript(script.sessionkeeper,<verb>[,settings]).

Owns the conversation with the viewer for each verb; the keeper does the work. With "settings" as
the last argument the button was pressed in the settings dialog, which has closed itself to save; it
is opened again afterwards, with the new state. Without a verb the settings open.
"""

from __future__ import annotations

from typing import Callable

import xbmc

import sessionkeeper
from sessionkeeper.kodi import audit_trail, dialogs, log, moments, notifications, panel
from sessionkeeper.kodi.configuration import open_keeper
from sessionkeeper.kodi.strings import ADDON_ID, text


def main(arguments: list[str]) -> None:
    verb = arguments[0] if arguments else ""
    if verb in VERBS:
        perform(VERBS[verb])
    elif verb:
        log.warning(f"no such action, known are: {', '.join(VERBS)}")
    if not xbmc.Monitor().abortRequested() and (not verb or "settings" in arguments[1:]):
        xbmc.executebuiltin(f"Addon.OpenSettings({ADDON_ID})")


def perform(action: Callable[[sessionkeeper.Keeper], None]) -> None:
    """Runs one action, shows its error, and puts the new state into the settings."""
    monitor = xbmc.Monitor()
    try:
        keeper = open_keeper(monitor.abortRequested)
        try:
            action(keeper)
        finally:
            log.forward(keeper)
            if not monitor.abortRequested():
                panel.show(keeper.status())
    except sessionkeeper.Cancelled:
        log.info("cancelled")
    except sessionkeeper.Error as error:
        log.error(f"{error.code}: {error.message}")
        dialogs.show_error(dialogs.TITLE, error)


def log_in(keeper: sessionkeeper.Keeper) -> None:
    service = service_name(keeper)
    name = ""
    while True:
        name = dialogs.ask_user_name(service, name)
        password = dialogs.ask_password(service) if name else ""
        if not password:
            return
        try:
            with dialogs.Progress(service, text("logging_in", service=service)) as stopped:
                keeper.login(name, password, stop=stopped)
        except sessionkeeper.CredentialsRefused as error:
            dialogs.show_error(service, error)
            continue
        except sessionkeeper.NetworkError as error:
            dialogs.show_error(service, error, text("network_trouble", service=service))
            return
        notifications.tell(text("logged_in"))
        return


def log_out(keeper: sessionkeeper.Keeper) -> None:
    end_session(keeper, "confirm_logout", everywhere=False)


def log_out_everywhere(keeper: sessionkeeper.Keeper) -> None:
    end_session(keeper, "confirm_logout_everywhere", everywhere=True)


def end_session(keeper: sessionkeeper.Keeper, question: str, everywhere: bool) -> None:
    service = service_name(keeper)
    if not dialogs.confirm(service, text(question, service=service)):
        return
    with dialogs.Progress(service, text("logging_out", service=service)) as stopped:
        report = keeper.logout(everywhere=everywhere, stop=stopped)
    if not xbmc.Monitor().abortRequested():
        notifications.tell(outcome_of(report))


def outcome_of(report: sessionkeeper.LogoutReport) -> str:
    """The one sentence about a logout."""
    date = moments.date(report.expires_at) if report.expires_at else text("date_unknown")
    return text(report.summary_key, date=date)


def show_details(keeper: sessionkeeper.Keeper) -> None:
    details = keeper.details()
    account = details["account"] or {"id": "", "name": "", "email": ""}
    ends = details["expires_at"]
    began = details["signed_in_at"]
    unknown = text("details_unknown")
    values = {
        "details_service": service_name(keeper),
        "details_email": account["email"] or unknown,
        "details_account": account["name"] or account["id"] or unknown,
        "details_signed_in_at": moments.date_and_time(began) if began else unknown,
        "details_expires_at": f"{moments.date_and_time(ends)} ({moments.remaining(ends)})"
        if ends
        else unknown,
        "details_cookies": ", ".join(details["cookies"]) or text("details_none"),
        "details_waiting": str(details["pending_revocations"]),
    }
    dialogs.show_text(
        text("session_details"),
        "\n".join(text(name, value=value) for name, value in values.items()),
    )


def drain(keeper: sessionkeeper.Keeper) -> None:
    if not keeper.outbox():
        notifications.tell(text("drained_none_waiting"))
        return
    with dialogs.Progress(dialogs.TITLE, text("draining")) as stopped:
        keeper.drain(stop=stopped)
    waiting = len(keeper.outbox())
    notifications.tell(text("drained_some", count=waiting) if waiting else text("drained_all"))


def show_audit(keeper: sessionkeeper.Keeper) -> None:
    lines = audit_trail.lines(keeper.audit())
    dialogs.show_text(text("audit_title"), "\n".join(lines) or text("audit_empty"), monospaced=True)


def forget(keeper: sessionkeeper.Keeper) -> None:
    status = keeper.status()
    warnings = [text("confirm_forget")]
    if status.state != "signed_out":
        warnings.append(text("confirm_forget_signed_in"))
    if status.pending_revocations:
        warnings.append(text("confirm_forget_waiting", count=status.pending_revocations))
    if dialogs.confirm(dialogs.TITLE, "[CR]".join(warnings)):
        keeper.forget()
        notifications.tell(text("forgotten"))


def service_name(keeper: sessionkeeper.Keeper) -> str:
    """What the viewer calls the service."""
    for entry in sessionkeeper.providers():
        if entry["id"] == keeper.provider:
            return str(entry["name"])
    return str(keeper.provider)


VERBS: dict[str, Callable[[sessionkeeper.Keeper], None]] = {
    "login": log_in,
    "logout": log_out,
    "logout_everywhere": log_out_everywhere,
    "details": show_details,
    "drain": drain,
    "audit": show_audit,
    "forget": forget,
}
