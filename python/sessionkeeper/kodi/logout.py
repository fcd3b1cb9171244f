"""Logging out: the question, the wait, the clean-up, and the one sentence about it. Also the button
that tells the server about logouts that still wait.

Owns what the viewer is told of a logout. Whether the server ended the session, the keeper says.
"""

from __future__ import annotations

import xbmc

from sessionkeeper.kodi import dialogs, notifications, post_logout, services, times
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Account, Keeper, LogoutReport

# A server's remark is cut here: it is a sentence, not a page.
REMARK_LENGTH = 200


def log_out(keeper: Keeper) -> None:
    _end(keeper, text("confirm_logout", service=services.name(keeper.provider)))


def log_out_everywhere(keeper: Keeper) -> None:
    service = services.name(keeper.provider)
    _end(keeper, text("confirm_logout_everywhere", service=service), everywhere=True)


def remove(keeper: Keeper, account: Account) -> None:
    """Logs a stored account out, whether it is the active one or not."""
    name = services.account_name(account)
    _end(keeper, text("confirm_remove", account=name), account=account)


def try_waiting(keeper: Keeper) -> None:
    """Tells the server about the logouts that wait."""
    if not keeper.outbox():
        notifications.show(text("drained_none_waiting"))
        return
    with dialogs.Progress(dialogs.TITLE, text("draining")) as stopped:
        waiting = len(keeper.drain(stop=stopped).entries)
    notifications.show(text("drained_some", count=waiting) if waiting else text("drained_all"))


def _end(
    keeper: Keeper, question: str, *, everywhere: bool = False, account: Account | None = None
) -> None:
    service = services.name(keeper.provider)
    if not dialogs.confirm(service, question):
        return
    with dialogs.Progress(service, text("logging_out", service=service)) as stopped:
        report = keeper.logout(
            everywhere=everywhere, account=account.id if account else None, stop=stopped
        )
    post_logout.finish(keeper)
    if xbmc.Monitor().abortRequested():
        return
    words = outcome_of(report, everywhere=everywhere)
    if account:
        words = f"{words} ({services.account_name(account)})"
    notifications.show(words)


def outcome_of(report: LogoutReport, *, everywhere: bool = False) -> str:
    """The outcome first, then the details: how many sessions, and what the service adds."""
    date = times.near(report.expires_at) if report.expires_at else text("date_unknown")
    words = text(report.summary_key, date=date)
    details = []
    if everywhere and report.sessions_ended is not None:
        details.append(text("sessions_ended", count=report.sessions_ended))
    elif everywhere and report.local != "already_signed_out":
        details.append(text("sessions_ended_unknown"))
    if report.audit_warning:
        remark = dialogs.plain(report.audit_warning)[:REMARK_LENGTH]
        details.append(text("remark", words=remark))
    for detail in details:
        words = f"{words.rstrip('.')}. {detail}"
    return words
