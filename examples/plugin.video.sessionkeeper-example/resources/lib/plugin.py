"""What the viewer sees: a listing, three buttons, and one notification for what came of each."""

from __future__ import annotations

import sessionkeeper
import xbmc
import xbmcgui
import xbmcplugin
from sessionkeeper.kodi import post_logout

from account import open_keeper, show_account, text

NAME = "Sessionkeeper example"
SERVICE = "https://api.idempotent-demo.example"
# LogoutReport.summary_key, in this add-on's own words.
OUTCOMES = {
    "signed_out": 30030,
    "signed_out_deferred": 30031,
    "signed_out_unconfirmed": 30032,
    "signed_out_alive": 30036,
    "signed_out_rejected": 30033,
    "signed_out_local_only": 30034,
    "already_signed_out": 30035,
}


def run(arguments: list[str]) -> None:
    """arguments: the address, such as plugin://plugin.video.sessionkeeper-example/logout, and the
    number of the listing to fill.
    """
    action = ACTIONS.get(arguments[0].rstrip("/").rpartition("/")[2])
    try:
        keeper = open_keeper(xbmc.Monitor().abortRequested)
        if action:
            action(keeper)
        else:
            show_listing(keeper, arguments[0], int(arguments[1]))
    except sessionkeeper.Cancelled:
        pass
    except sessionkeeper.Error as error:
        # Every message and hint of Sessionkeeper is safe to show.
        xbmcgui.Dialog().ok(NAME, f"{error.message}[CR]{error.hint}")


def log_in(keeper: sessionkeeper.Keeper) -> None:
    dialog = xbmcgui.Dialog()
    name = dialog.input(text(30020))
    hidden = xbmcgui.ALPHANUM_HIDE_INPUT
    password = dialog.input(text(30021), type=xbmcgui.INPUT_ALPHANUM, option=hidden) if name else ""
    if password:
        show_account(keeper.login(name, password).account)
        tell(text(30022))


def log_out(keeper: sessionkeeper.Keeper) -> None:
    report = keeper.logout()
    post_logout.finish(keeper)
    tell(text(OUTCOMES[report.summary_key]))


def show_details(keeper: sessionkeeper.Keeper) -> None:
    details = keeper.details()
    lines = [details.account.email if details.account else text(30010)]
    # Names of cookies only: their values are nobody's business.
    lines += details.cookies
    xbmcgui.Dialog().textviewer(text(30002), "\n".join(lines))


def show_listing(keeper: sessionkeeper.Keeper, address: str, listing: int) -> None:
    """Logged in, what the service has for this account; else a way to log in."""
    session = keeper.restore()
    if session:
        answer = session.get(f"{SERVICE}/api/auth/me")
        answer.raise_for_status()
        name = answer.json()["name"]
        # For the skin. provider.toml says that it is cleared after a logout.
        xbmcgui.Window(10000).setProperty("sessionkeeper-example.viewer", name)
        label, target = text(30040).format(name), address
    else:
        label, target = text(30001), f"{address.rstrip('/')}/login"
    xbmcplugin.addDirectoryItem(listing, target, xbmcgui.ListItem(label), isFolder=False)
    xbmcplugin.endOfDirectory(listing, cacheToDisc=False)


def tell(words: str) -> None:
    xbmcgui.Dialog().notification(NAME, words, sound=False)


ACTIONS = {"login": log_in, "logout": log_out, "details": show_details}
