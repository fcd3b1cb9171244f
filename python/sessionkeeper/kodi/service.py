"""The background service: brings the session back at start, renews it, tells the server about
waiting logouts and the viewer when it has confirmed one, and does what a logout left to do when its
script ended half-way.

Owns when that happens and who is told; what has to be done and when it is due, the keeper says. It
wakes twice a second, which costs one call into the native module and delivers Kodi's callbacks; the
same tick goes on while an operation runs, so a slow server holds up neither the events nor Kodi's
end. It holds no session: the native module shares it with every invocation.
"""

from __future__ import annotations

import time

import xbmc

from sessionkeeper.errors import Cancelled, Error
from sessionkeeper.kodi import (
    error_boundary,
    log,
    logout,
    machine,
    notifications,
    post_logout,
    settings,
    status_display,
)
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import Event, Keeper

TICK_S = 0.5
# What has been planned by the keeper is asked for anew after this, in case another process changed
# it.
PLAN_S = 30.0
# A button's script writes the new state itself, at the same moment; two writers at once would spoil
# the settings file.
SETTLING_S = 1.5
# After an operation failed in a way that gave no new plan.
PAUSE_S = 60.0
# What the viewer has to know although no button was pressed: by the event, or with its outcome.
WARNINGS = {
    "session_expired": "told_session_expired",
    "revocation_rejected": "logout_rejected",
    "vault_damaged": "told_vault_damaged",
    "vault_damaged key_missing": "told_vault_key_missing",
    "vault_damaged key_wrong": "told_vault_key_wrong",
    "vault_damaged rolled_back": "told_vault_rolled_back",
}


def main() -> None:
    why = machine.misfit()
    if why:
        machine.announce(why)
    else:
        Service().run()


def _remove_pictures() -> None:
    from sessionkeeper.kodi import code_window

    code_window.remove_pictures()


def _warn_of(event: Event) -> None:
    """Each event once: the keeper makes one of what happened."""
    kind = event.event
    warning = WARNINGS.get(f"{kind} {event.outcome}") or WARNINGS.get(kind)
    if warning:
        notifications.warn(text(warning))


class SettingsMonitor(xbmc.Monitor):
    """Remembers when the settings were last saved, by the viewer or by ourselves."""

    changed_at: float | None = None

    def onSettingsChanged(self) -> None:  # noqa: N802
        self.changed_at = time.monotonic()

    def is_changing(self) -> bool:
        """Whether they have been saved, and `settled` has not been true since."""
        return self.changed_at is not None

    def settled(self) -> bool:
        """Whether they have been saved, and not again for a while. True once for each change."""
        if self.changed_at is None or time.monotonic() < self.changed_at + SETTLING_S:
            return False
        self.changed_at = None
        return True


class Service:
    def __init__(self) -> None:
        self.monitor = SettingsMonitor()
        self.keeper: Keeper | None = None
        # Whether the keeper is the chosen service's; see settings.open_any.
        self.complete = False
        self.last_event: int | None = None
        self.address = ""
        self.plan_at = self.next_tick = 0.0
        self.renew_at: int | None = None
        self.drain_at: int | None = None
        self.show_at: float | None = None
        self.dialog_open = self.failed = False
        self.last_warning = ""

    def run(self) -> None:
        self._guarded(_remove_pictures)
        self._guarded(self._begin)
        while not self.monitor.waitForAbort(TICK_S):
            self._guarded(self._tick)
            self._guarded(self._work)

    def _guarded(self, work: Callable[[], None]) -> None:
        """Whatever fails unexpectedly, the waiting logouts must go on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - see above
            if not self.failed:
                notifications.warn(text("failed_unexpectedly"))
            self.failed = True
            log.error(error_boundary.describe(error))
            self.plan_at = time.monotonic() + PAUSE_S

    def _begin(self) -> None:
        self._open()
        if self.complete:
            self._attempt(lambda keeper: keeper.restore(offline=True))
        self._show_state()
        self._attempt(post_logout.finish)
        self._attempt(self._drain)

    def _open(self) -> None:
        """Opens the keeper as the settings say; they may have changed. The events go on where they
        were.
        """
        try:
            if settings.clear_proxy_password():
                notifications.warn(text("told_proxy_password_removed"))
            self.keeper, self.complete = settings.open_any(self._stopped)
            if self.last_event is None:
                self.last_event = self.keeper.newest_event()
            self.plan_at = 0.0
        except Error as error:
            self.keeper, self.complete = None, False
            log.error(f"{error.code}: {error.message}")
            if self.last_warning != error.message:
                self.last_warning = error.message
                notifications.warn(error.message)
            self.plan_at = time.monotonic() + PAUSE_S

    def _attempt(self, work: Callable[[Keeper], object]) -> None:
        """Does one piece of work. Its failure is in the log and the audit trail; the viewer did not
        start it and is not disturbed.
        """
        if self.keeper is None:
            return
        try:
            work(self.keeper)
        except Cancelled:
            pass
        except Error as error:
            log.info(f"{error.code}: {error.message}")
            self.plan_at = time.monotonic() + PAUSE_S
            self.renew_at = self.drain_at = None

    # The tick: short, never on the network

    def _stopped(self) -> bool:
        """Asked by a running operation every 100 ms."""
        if self.monitor.abortRequested():
            return True
        if time.monotonic() >= self.next_tick:
            self._tick()
        return False

    def _tick(self) -> None:
        self.next_tick = time.monotonic() + TICK_S
        if self.keeper is None:
            return
        log.forward(self.keeper)
        events = self.keeper.events(self.last_event or 0)
        for event in events:
            self.last_event = event.seq
            notifications.publish(event)
            _warn_of(event)
        if events or self._dialog_closed():
            self.show_at = time.monotonic() + SETTLING_S
            self.plan_at = 0.0
        elif self.show_at is not None and time.monotonic() >= self.show_at:
            self._show_state()

    def _show_state(self) -> None:
        # What is chosen by now may be another service than this keeper's; `_work` opens that one.
        if self.monitor.is_changing():
            return
        self.show_at = None
        if self.keeper is None or self.monitor.abortRequested():
            return
        try:
            status_display.show(self.keeper.status(), self.complete)
        except Error as error:
            log.info(f"{error.code}: {error.message}")

    # The work: may use the network

    def _work(self) -> None:
        if self.monitor.settled():
            self._open()
            self._show_state()
        if self.keeper is None:
            if time.monotonic() >= self.plan_at:
                self._begin()  # the disk or the settings may be in order again
            return
        if self._network_returned():
            self._attempt(self._drain)
        if time.monotonic() >= self.plan_at:
            self._attempt(self._plan)
        now = time.time()
        if self.renew_at is not None and now >= self.renew_at:
            self.renew_at = None
            self._attempt(lambda keeper: keeper.renew())
        if self.drain_at is not None and now >= self.drain_at:
            self.drain_at = None
            self._attempt(lambda keeper: self._drain(keeper, due_only=True))

    def _plan(self, keeper: Keeper) -> None:
        self.plan_at = time.monotonic() + PLAN_S
        post_logout.finish(keeper)
        logout.announce_confirmed(keeper)
        schedule = keeper.schedule()
        self.drain_at = schedule.drain_at
        self.renew_at = schedule.renew_at if self.complete else None

    def _drain(self, keeper: Keeper, *, due_only: bool = False) -> None:
        keeper.drain(due_only=due_only)
        self.plan_at = 0.0

    def _dialog_closed(self) -> bool:
        """Whether a settings dialog has just been left: with Cancel, or with old values and OK."""
        before = self.dialog_open
        self.dialog_open = xbmc.getCondVisibility("Window.IsVisible(addonsettings)")
        return before and not self.dialog_open

    def _network_returned(self) -> bool:
        """Whether this device's address has changed. A server that comes back without that is found
        by the keeper's schedule.
        """
        before, self.address = self.address, xbmc.getIPAddress()
        return bool(before) and self.address != before and self.address not in ("", "127.0.0.1")
