"""Logging out of everything on this device, for the day it is sold, lent or returned: the question,
a wait that counts, one list of what is true, and the offer to erase what is left.
"""

from __future__ import annotations

import xbmc

from sessionkeeper.errors import Error
from sessionkeeper.kodi import (
    addons,
    dialogs,
    log,
    notifications,
    post_logout,
    private_vaults,
    services,
    settings,
    stored_data,
    times,
)
from sessionkeeper.kodi.strings import ADDON_ID, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper, LogoutAll, LogoutAllEntry, StoredAccount

# In the order in which they are listed.
CONCLUSIONS = ("proved", "later", "by_itself", "unknown", "failed")


def log_out(keeper: Keeper) -> None:
    """Asks where somebody is logged in, or where nobody can say. In any case what is under way
    anywhere is ended.
    """
    stop = xbmc.Monitor().abortRequested
    vaults = [keeper, *(vault for _, vault in private_vaults.open_all(keeper, stop))]
    read = [_accounts(vault) for vault in vaults]
    stored = [entry for entries in read for entry in entries or ()]
    if stored or None in read:
        services_left = len({entry.provider for entry in stored})
        question = text("everything_question", accounts=len(stored), services=services_left)
        if not dialogs.confirm(text("log_out_of_everything"), question, text("log_out")):
            return
    limit = settings.logout_limit()
    with dialogs.Progress(text("logging_out"), text("everything_telling"), limit) as progress:
        done = keeper.logout_all(deadline=limit, stop=progress.stopped, progress=progress.count)
    for vault in vaults:
        post_logout.finish(vault)
    if stop():
        return
    words = listed(done)
    if words:
        dialogs.show_text(text("everything_done"), words)
        stored_data.forget(keeper)
    else:
        notifications.show(text("already_signed_out"))


def listed(done: LogoutAll) -> str:
    """Who was logged in, under what became of it."""
    parts = []
    for conclusion in CONCLUSIONS:
        entries = [_line(entry) for entry in done.entries if _conclusion(entry) == conclusion]
        if entries:
            parts.append("\n".join([text(f"everything_{conclusion}"), *entries]))
    if done.pending_revocations:
        parts.append(text("everything_waiting", count=done.pending_revocations))
    elif done.pending_revocations is None:
        parts.append(text("everything_waiting_unknown"))
    return "\n\n".join(parts)


def _conclusion(entry: LogoutAllEntry) -> str:
    """Of a vault that nobody could read, nobody can say more."""
    return "failed" if entry.account is None else entry.conclusion


def _line(entry: LogoutAllEntry) -> str:
    if entry.account is None:  # nobody could read who it was
        words = [addons.name(entry.addon or ADDON_ID), entry.reason]
        return f"•  {' · '.join(words)}"
    words = [services.account_name(entry.account), entry.provider_name or entry.provider]
    if entry.addon:
        words.append(addons.name(entry.addon))
    if entry.conclusion == "by_itself" and entry.expires_at is not None:
        words.append(times.near(entry.expires_at))
    if entry.conclusion == "failed" and entry.reason:
        words.append(entry.reason)
    return f"•  {' · '.join(words)}"


def _accounts(vault: Keeper) -> list[StoredAccount] | None:
    """None where they cannot be read; then the vault is in the list of what was not logged out."""
    try:
        return vault.accounts(all=True)
    except Error as error:
        log.warning(f"{error.code}: {error.message}")
        return None
