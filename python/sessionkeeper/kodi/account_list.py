"""The stored accounts of a service: switch to one, add one, remove one; and which add-ons may use
them.

Removing is logging out: the server is told, and the outcome is said as for any other logout. What
is changed about an add-on counts at once, and can be changed back in the same place.
"""

from __future__ import annotations

from sessionkeeper.kodi import addons, dialogs, login, logout, notifications, services, times
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper, Permission, StoredAccount


def manage(keeper: Keeper) -> None:
    stored, service = keeper.accounts(), keeper.describe().name
    answers = _answers(keeper, stored)
    lines = [_line(entry, answers) for entry in stored]
    ways = [(text("add_account"), lambda: login.add(keeper))]
    if stored:
        ways.append((text("remove_account"), lambda: _remove(keeper, stored, service)))
    if answers:
        ways.append((text("addons_line"), lambda: _manage_addons(keeper, stored, service)))
    title = text("accounts_title", service=service)
    active = next((number for number, entry in enumerate(stored) if entry.active), 0)
    chosen = dialogs.choose(title, [*lines, *((words, "") for words, _ in ways)], active)
    if chosen is None:
        return
    if chosen < len(stored):
        _switch(keeper, stored[chosen])
    else:
        ways[chosen - len(stored)][1]()


def _switch(keeper: Keeper, entry: StoredAccount) -> None:
    if entry.active:
        return
    keeper.switch(entry.account.id)
    notifications.show(services.state_line(entry))


def _remove(keeper: Keeper, stored: list[StoredAccount], service: str) -> None:
    title = text("remove_which", service=service)
    chosen = dialogs.choose(title, [_line(entry, []) for entry in stored])
    if chosen is not None:
        logout.remove(keeper, stored[chosen].account)


def _manage_addons(keeper: Keeper, stored: list[StoredAccount], service: str) -> None:
    """Each choice turns an answer round and shows it, until the viewer leaves the list."""
    names = {entry.account.id: services.account_name(entry.account) for entry in stored}
    chosen: int | None = 0
    while chosen is not None:
        answers = _answers(keeper, stored)
        lines = [
            (
                addons.name(answer.addon),
                text(
                    "addon_allowed" if answer.allowed else "addon_refused",
                    account=names[answer.account],
                ),
            )
            for answer in answers
        ]
        chosen = dialogs.choose(text("addons_title", service=service), lines, chosen)
        if chosen is not None:
            answer = answers[chosen]
            keeper.set_permission(answer.addon, answer.account, not answer.allowed)


def _answers(keeper: Keeper, stored: list[StoredAccount]) -> list[Permission]:
    """What the viewer has said about these accounts, in an order that stays."""
    known = [entry.account.id for entry in stored]
    answers = [answer for answer in keeper.permissions() if answer.account in known]
    return sorted(answers, key=lambda answer: (answer.addon, known.index(answer.account)))


def _line(entry: StoredAccount, answers: list[Permission]) -> tuple[str, str]:
    """Who, and in a second line whether it is the active one, how long it is logged in, and which
    add-ons may use it.
    """
    words = [text("account_active")] if entry.active else []
    if entry.renewable:
        words.append(text("account_stays"))
    elif not entry.usable:
        words.append(text("account_expired"))
    elif entry.expires_at:
        words.append(text("account_until", date=times.date_and_time(entry.expires_at)))
    users = [
        addons.name(answer.addon)
        for answer in answers
        if answer.allowed and answer.account == entry.account.id
    ]
    if users:
        words.append(text("account_used_by", addons=", ".join(users)))
    return services.account_name(entry.account), ", ".join(words)
