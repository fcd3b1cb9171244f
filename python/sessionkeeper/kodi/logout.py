"""Logging out: the question, the wait, the clean-up, and the one sentence about it. Also the button
that tells the server about logouts that still wait, and the word that it has confirmed one.

Owns what the viewer is told of a logout. Whether the server ended the session, the keeper says.
"""

from __future__ import annotations

import xbmc

from sessionkeeper.errors import StorageError
from sessionkeeper.kodi import dialogs, notifications, post_logout, services, settings, times
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Account, Keeper, LogoutReport

# A server's remark is cut here: it is a sentence, not a page.
REMARK_LENGTH = 200


def log_out(keeper: Keeper) -> LogoutReport | None:
    """None where the viewer said no, or nobody was logged in."""
    return _end_active(keeper)


def log_out_everywhere(keeper: Keeper) -> LogoutReport | None:
    return _end_active(keeper, everywhere=True)


def remove(keeper: Keeper, account: Account) -> LogoutReport | None:
    """Logs a stored account out, whether it is the active one or not."""
    return _end(keeper, account, is_named=True)


def try_waiting(keeper: Keeper) -> None:
    """Tells the server about the logouts that wait. What it confirms, the service announces."""
    if not keeper.outbox():
        notifications.show(text("drained_none_waiting"))
        return
    limit = settings.longest_wait()
    with dialogs.Progress(dialogs.TITLE, text("draining"), limit) as progress:
        waiting = len(keeper.drain(stop=progress.stopped).entries)
    if waiting:
        notifications.show(text("drained_some", count=waiting))


def announce_confirmed(keeper: Keeper) -> None:
    """Tells the viewer of each logout that the server has confirmed later than it was said to be
    told: who, and where.
    """
    for logout in keeper.take_confirmations():
        who, where = services.account_name(logout.account), services.name(logout.provider)
        notifications.show(dialogs.plain(f"{who} · {where}"), text("logout_confirmed"))


def _end_active(keeper: Keeper, *, everywhere: bool = False) -> LogoutReport | None:
    try:
        status = keeper.status()
    except StorageError:
        # Nobody can say who it is. The logout itself manages without the disk.
        return _end(keeper, None, everywhere=everywhere)
    account = status.account
    if status.state == "needs_permission":
        notifications.show(text("error_needs_permission"))
        return None
    if account is None and not keeper.has_handover():
        notifications.show(text("already_signed_out"))
        return None
    return _end(keeper, account, everywhere=everywhere)


def _end(
    keeper: Keeper, account: Account | None, *, everywhere: bool = False, is_named: bool = False
) -> LogoutReport | None:
    """Asks, and ends just the account that the question names, whoever is active by then. The
    outcome names it again with `is_named`.
    """
    service = keeper.describe().name
    who = services.account_name(account)
    question = "confirm_logout_everywhere" if everywhere else "confirm_logout"
    if not dialogs.confirm(
        text("log_out_question"),
        text(question, account=dialogs.plain(who), service=service),
        text("log_out"),
    ):
        return None
    limit = settings.logout_limit()
    words = text("telling", service=service, seconds=round(limit))
    with dialogs.Progress(text("logging_out"), words, limit) as progress:
        report = keeper.logout(
            everywhere=everywhere,
            deadline=limit,
            account=account.id if account else None,
            stop=progress.stopped,
        )
    post_logout.finish(keeper)
    if not xbmc.Monitor().abortRequested():
        words = outcome_of(report, everywhere=everywhere)
        notifications.show(f"{words} ({who})" if is_named else words)
    return report


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
