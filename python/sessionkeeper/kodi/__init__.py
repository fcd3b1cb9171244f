"""The Kodi side: settings buttons, dialogs, notifications, the start-up service.

Public are `log_in`, `log_out` and `accounts`, the dialogs that the add-on itself uses, for any
add-on that requires `script.sessionkeeper`. The words and the limits are the viewer's settings
there; the service is named as its provider file names it. What goes wrong is shown, and nothing is
raised but what a wrong argument brings.

The only package that imports xbmc modules. It decides nothing about sessions: it asks the keeper
and says what the keeper answered. Nothing here keeps a session or a keeper in a module global,
since Kodi may reuse an interpreter for another profile.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sessionkeeper import Keeper, LogoutReport, Session

__all__ = ["accounts", "log_in", "log_out"]


def log_in(keeper: Keeper) -> Session | None:
    """Logs the viewer in, by her name and password or with a code on her phone, as the service has
    it. Where somebody is logged in whom this add-on may not use yet, she is asked for that instead,
    also if she has said no before: call this when she presses a button.

    The session; None where she gave up, or it could not be done.
    """
    from sessionkeeper.kodi import error_boundary, login

    return error_boundary.attend(lambda: login.log_in(keeper))


def log_out(keeper: Keeper) -> LogoutReport | None:
    """Asks whether the active account is to be logged out, does it here and at the server, finishes
    what a logout leaves to Kodi, and says in one notification what came of it.

    The report; None where the viewer said no or nobody was logged in.
    """
    from sessionkeeper.kodi import error_boundary, logout

    return error_boundary.attend(lambda: logout.log_out(keeper))


def accounts(keeper: Keeper) -> None:
    """Shows the stored accounts of the service: switch to one, add one, remove one, and which
    add-ons may use them. An add-on is shown the accounts that it may use."""
    from sessionkeeper.kodi import account_list, error_boundary

    error_boundary.attend(lambda: account_list.manage(keeper))
