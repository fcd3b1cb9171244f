"""What the settings' buttons do: RunScript(script.sessionkeeper,<verb>[,settings]).

Owns the verbs and the short ones among their conversations; logging in, logging out and the
accounts have files of their own. With "settings" as the last argument the button was pressed in the
settings dialog, which has closed itself to save; it is opened again afterwards, with the new state.
Without a verb the settings open.
"""

from __future__ import annotations

from typing import Callable

import xbmc

import sessionkeeper
from sessionkeeper.kodi import (
    accounts,
    audit_trail,
    dialogs,
    log,
    login,
    logout,
    notifications,
    services,
    status_display,
    times,
)
from sessionkeeper.kodi.configuration import open_any, open_keeper
from sessionkeeper.kodi.strings import ADDON_ID, text


def main(arguments: list[str]) -> None:
    verb = arguments[0] if arguments else ""
    if verb in VERBS:
        perform(VERBS[verb], needs_service=verb not in FOR_ALL_SERVICES)
    elif verb:
        log.warning(f"no such action, known are: {', '.join(VERBS)}")
    if not xbmc.Monitor().abortRequested() and (not verb or "settings" in arguments[1:]):
        xbmc.executebuiltin(f"Addon.OpenSettings({ADDON_ID})")


def perform(action: Callable[[sessionkeeper.Keeper], None], needs_service: bool) -> None:
    """Runs one action, shows its error, and puts the new state into the settings."""
    monitor = xbmc.Monitor()
    try:
        if needs_service:
            keeper, complete = open_keeper(monitor.abortRequested), True
        else:
            keeper, complete = open_any(monitor.abortRequested)
        try:
            action(keeper)
        finally:
            log.forward(keeper)
            if not monitor.abortRequested():
                status_display.show(keeper.status(), complete)
    except sessionkeeper.Cancelled:
        log.info("cancelled")
    except sessionkeeper.Error as error:
        log.error(f"{error.code}: {error.message}")
        dialogs.show_error(dialogs.TITLE, error)


def show_details(keeper: sessionkeeper.Keeper) -> None:
    details = keeper.details()
    account = details["account"] or {"id": "", "name": "", "email": ""}
    ends = details["expires_at"]
    began = details["signed_in_at"]
    unknown = text("details_unknown")
    values = {
        "details_service": services.name(keeper.provider),
        "details_email": account["email"] or unknown,
        "details_account": account["name"] or account["id"] or unknown,
        "details_signed_in_at": times.date_and_time(began) if began else unknown,
        "details_expires_at": f"{times.date_and_time(ends)} ({times.remaining(ends)})"
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


VERBS: dict[str, Callable[[sessionkeeper.Keeper], None]] = {
    "login": login.log_in,
    "logout": logout.log_out,
    "logout_everywhere": logout.log_out_everywhere,
    "accounts": accounts.manage,
    "details": show_details,
    "drain": drain,
    "audit": show_audit,
    "forget": forget,
}
# They concern every service, so they work where the chosen one is not set up.
FOR_ALL_SERVICES = ("drain", "audit", "forget")
