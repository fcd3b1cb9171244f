"""The stored accounts of the chosen service: switch to one, add one, remove one.

Removing is logging out: the server is told, and the outcome is said as for any other logout.
"""

from __future__ import annotations

from sessionkeeper.kodi import dialogs, login, logout, notifications, services, times
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper, StoredAccount


def manage(keeper: Keeper) -> None:
    stored = keeper.accounts()
    lines = [_line(entry) for entry in stored]
    lines.append((text("add_account"), ""))
    if stored:
        lines.append((text("remove_account"), ""))
    title = text("accounts_title", service=services.name(keeper.provider))
    active = next((number for number, entry in enumerate(stored) if entry.active), 0)
    chosen = dialogs.choose(title, lines, active)
    if chosen is None:
        return
    if chosen < len(stored):
        _switch(keeper, stored[chosen])
    elif chosen == len(stored):
        login.log_in(keeper)
    else:
        _remove(keeper, stored)


def _switch(keeper: Keeper, entry: StoredAccount) -> None:
    if entry.active:
        return
    keeper.switch(entry.account.id)
    notifications.show(services.state_line(entry))


def _remove(keeper: Keeper, stored: list[StoredAccount]) -> None:
    title = text("remove_which", service=services.name(keeper.provider))
    chosen = dialogs.choose(title, [_line(entry) for entry in stored])
    if chosen is not None:
        logout.remove(keeper, stored[chosen].account)


def _line(entry: StoredAccount) -> tuple[str, str]:
    """Who, and in a second line whether it is the active one and how long it is logged in."""
    words = [text("account_active")] if entry.active else []
    if entry.renewable:
        words.append(text("account_stays"))
    elif not entry.usable:
        words.append(text("account_expired"))
    elif entry.expires_at:
        words.append(text("account_until", date=times.date_and_time(entry.expires_at)))
    return services.account_name(entry.account), ", ".join(words)
