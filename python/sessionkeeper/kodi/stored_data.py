"""What is stored on this device, shown and forgotten: the session's details, the audit trail."""

from __future__ import annotations

import time

import xbmc

from sessionkeeper import Account
from sessionkeeper.errors import Error
from sessionkeeper.kodi import dialogs, log, notifications, private_vaults, services, times
from sessionkeeper.kodi.dialogs import TITLE
from sessionkeeper.kodi.strings import IDS, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import AuditEvent, Details, Keeper


def show_details(keeper: Keeper) -> None:
    details, service = keeper.details(), keeper.describe()
    account = details.account or Account("", "", "")
    unknown = text("details_unknown")
    values = {
        "details_service": service.name,
        "details_email": account.email or unknown,
        "details_account": account.name or account.id or unknown,
        "details_signed_in_at": _time(details.signed_in_at) or unknown,
    }
    lines = [text(name, value=value) for name, value in values.items()]
    lines += _renewals(details) if details.renewable else [_end(details)]
    lines.append(text("details_cookies", value=", ".join(details.cookies) or text("details_none")))
    lines.append(text("details_waiting", value=details.pending_revocations))
    if service.leaves:
        lines.append(text("details_leaves", value=service.leaves))
    dialogs.show_text(text("session_details"), "\n".join(lines))


def _renewals(details: Details) -> list[str]:
    """Of a session that goes on without the viewer. When its access ends is of no concern."""
    lines = [text("details_stays")]
    if details.renewed_at != details.signed_in_at:
        lines.append(text("details_renewed_at", value=_time(details.renewed_at)))
    if details.renews_at and details.renews_at > time.time():
        lines.append(text("details_renews_at", value=_time(details.renews_at)))
    elif details.renews_at:
        lines.append(text("details_renewal_due"))
    if details.ends_at:
        lines.append(text("details_ends_at", value=_time(details.ends_at)))
    return lines


def _end(details: Details) -> str:
    ends = details.expires_at
    known = f"{_time(ends)} ({times.remaining(ends)})" if ends else text("details_unknown")
    return text("details_expires_at", value=known)


def _time(moment: int | None) -> str:
    return times.date_and_time(moment) if moment else ""


def show_audit(keeper: Keeper) -> None:
    """Newest first."""
    lines = [audit_line(event) for event in reversed(keeper.audit())]
    dialogs.show_text(text("audit_title"), "\n".join(lines) or text("audit_empty"), monospaced=True)


def audit_line(event: AuditEvent) -> str:
    words = [times.date_and_time(event.at), _word(event.event, "event")]
    if event.outcome:
        words.append(_word(event.outcome, "outcome", "error"))
    if event.detail:
        words.append(f"({event.detail})")
    return "  ".join(words)


def _word(name: str, *kinds: str) -> str:
    """The viewer's word for it; a name that this version does not know is shown as it is."""
    return next((text(f"{kind}_{name}") for kind in kinds if f"{kind}_{name}" in IDS), name)


def forget(keeper: Keeper) -> None:
    """Erases the shared vault and the add-ons' own, each as far as it goes."""
    # The shared one last: it knows the others.
    vaults = [*private_vaults.open_all(keeper, xbmc.Monitor().abortRequested), (TITLE, keeper)]
    warnings = [text("confirm_forget")]
    stored: list[str] = []
    waiting = 0
    unreadable = []
    for name, vault in vaults:
        try:
            accounts, logouts = vault.accounts(all=True), len(vault.outbox())
        except Error as error:
            log.warning(f"{error.code}: {error.message}")
            unreadable.append(name)
            continue
        waiting += logouts
        stored += [
            f"{services.account_name(entry.account)} ({services.name(entry.provider)})"
            for entry in accounts
        ]
    if stored:
        warnings.append(text("confirm_forget_signed_in", accounts=dialogs.plain(", ".join(stored))))
    if waiting:
        warnings.append(text("confirm_forget_waiting", count=waiting))
    if unreadable:
        warnings.append(text("confirm_forget_unreadable", names=", ".join(unreadable)))
    if not dialogs.confirm(text("forget_question"), "[CR]".join(warnings), text("erase")):
        return
    left = [(name, error) for name, vault in vaults for error in _forget(vault)]
    if left:
        words = "[CR]".join(dialogs.plain(f"{name}: {error.message}") for name, error in left)
        dialogs.show_text(text("not_forgotten"), words)
    else:
        notifications.show(text("forgotten"))


def _forget(vault: Keeper) -> list[Error]:
    try:
        vault.forget()
    except Error as error:
        log.error(f"{error.code}: {error.message}")
        return [error]
    return []
