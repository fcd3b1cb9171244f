"""Keeps the viewer logged in, and tells the server of a logout that it could not be told at once.

Sessionkeeper's own service looks after its own sessions only; an add-on looks after its own.
"""

from __future__ import annotations

import time

import sessionkeeper
import xbmc
from sessionkeeper.kodi import post_logout

from account import open_keeper, show_account

PAUSE_S = 10


def run() -> None:
    monitor = xbmc.Monitor()
    begun = False
    while not monitor.waitForAbort(PAUSE_S if begun else 1):
        try:
            keeper = open_keeper(monitor.abortRequested)
            if not begun:
                session = keeper.restore(offline=True)
                show_account(session.account if session else None)
                begun = True
            work(keeper)
        except sessionkeeper.Error as error:
            xbmc.log(f"sessionkeeper example: {error.code}: {error.message}", xbmc.LOGINFO)


def work(keeper: sessionkeeper.Keeper) -> None:
    """What is due; the keeper knows when to try again."""
    post_logout.finish(keeper)
    schedule = keeper.schedule()
    now = time.time()
    if schedule.drain_at is not None and schedule.drain_at <= now:
        keeper.drain(due_only=True)
    if schedule.renew_at is not None and schedule.renew_at <= now:
        keeper.renew()
