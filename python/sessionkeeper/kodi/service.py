"""The background service, one for the shared vault and for every private one that an add-on has
registered: brings the sessions back at start, renews them, tells the servers about waiting logouts
and the viewer when one has confirmed it, and does what a logout left to do when its script ended
half-way.

Owns when that happens and who is told; what has to be done and when it is due, the keeper says. It
wakes every two seconds, or twice a second while settings are on the screen or something of its own
is under way, which costs two calls into the native module for each vault; the same tick goes on
while an operation runs, so a slow server holds up neither the events nor Kodi's end. It holds no
session: the native module shares it with every invocation.
"""

from __future__ import annotations

import time

import xbmc

from sessionkeeper.errors import Cancelled, Error
from sessionkeeper.kodi import (
    addons,
    error_boundary,
    log,
    logout,
    machine,
    notifications,
    post_logout,
    private_vaults,
    settings,
    status_display,
)
from sessionkeeper.kodi.strings import text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from sessionkeeper import Event, Keeper

TICK_S = 0.5
# Between two looks when nothing is going on.
IDLE_S = 2.0
# What has been planned by the keeper is asked for anew after this, in case another process changed
# it.
PLAN_S = 30.0
# A button's script writes the new state itself, at the same moment; two writers at once would spoil
# the settings file.
SETTLING_S = 1.5
# After something failed in a way that gave no new plan.
PAUSE_S = 60.0
NEVER = float("inf")
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
        notifications.warn(text(warning), addons.name(event.addon) if event.addon else "")


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


class Vault:
    """A vault that is looked after: its keeper, the event that was published last, and when it is
    looked at again, by `time.monotonic()`.
    """

    def __init__(self, keeper: Keeper, last_event: int) -> None:
        self.keeper, self.last_event, self.due_at = keeper, last_event, 0.0


class Service:
    def __init__(self) -> None:
        self.monitor = SettingsMonitor()
        self.shared: Vault | None = None
        # Those of the add-ons, by data directory.
        self.private: dict[str, Vault] = {}
        # Whether the shared keeper is the chosen service's; see settings.open_any.
        self.complete = False
        self.address = ""
        # By `time.monotonic()`: when the shared vault is opened anew, when somebody looks for
        # private ones, and when a tick is due.
        self.open_at = self.find_at = self.next_tick = 0.0
        self.show_at: float | None = None
        self.dialog_open = self.failed = False
        self.last_warning = ""

    def run(self) -> None:
        self._guarded(_remove_pictures)
        while True:
            self._guarded(self._tick)
            self._guarded(self._work)
            if self.monitor.waitForAbort(self._pause()):
                return

    def _guarded(self, work: Callable[[], None]) -> None:
        """Whatever fails unexpectedly, the waiting logouts must go on."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - see above
            self._note_defect(error)

    def _note_defect(self, error: Exception) -> None:
        """One that nobody has foreseen. The viewer hears of the first."""
        if not self.failed:
            notifications.warn(text("failed_unexpectedly"))
        self.failed = True
        log.error(error_boundary.describe(error))

    def _pause(self) -> float:
        is_busy = self.dialog_open or self.show_at is not None or self.monitor.is_changing()
        return TICK_S if is_busy else IDLE_S

    def _vaults(self) -> list[Vault]:
        return [self.shared, *self.private.values()] if self.shared else []

    # Opening

    def _open(self) -> None:
        """Opens the keepers as the settings say now. The events go on where they were. Where it
        fails, those of before go on.
        """
        self.open_at = NEVER
        try:
            if settings.clear_proxy_password():
                notifications.warn(text("told_proxy_password_removed"))
            keeper, self.complete = settings.open_any(self._stopped)
        except Error as error:
            self.complete = False
            log.error(f"{error.code}: {error.message}")
            if self.last_warning != error.message:
                self.last_warning = error.message
                notifications.warn(error.message)
            self.open_at = time.monotonic() + PAUSE_S
            return
        if self.shared:
            self.shared.keeper, self.shared.due_at = keeper, 0.0
            self._find_private(again=True)
        else:
            # Of what happens in a vault that comes later, nothing has been published yet.
            self.shared = Vault(keeper, keeper.newest_event())
            self._find_private()
            for vault in self.private.values():
                vault.last_event = vault.keeper.newest_event()

    def _find_private(self, *, again: bool = False) -> None:
        """Opens the vaults that have been registered since, with `again` all of them; and leaves
        those that are gone. Where it fails, those of before go on.
        """
        self.find_at = time.monotonic() + PLAN_S
        if self.shared is None:
            return
        try:
            found = {}
            for vault in private_vaults.registered(self.shared.keeper):
                known = self.private.get(vault.data_dir)
                if known is None:
                    known = Vault(settings.open_vault(vault, self._stopped), 0)
                elif again:
                    known.keeper = settings.open_vault(vault, self._stopped)
                found[vault.data_dir] = known
            self.private = found
        except Error as error:
            log.error(f"{error.code}: {error.message}")

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
        has_news = self._dialog_closed()
        for vault in self._vaults():
            log.forward(vault.keeper)
            for event in vault.keeper.events(vault.last_event):
                vault.last_event = event.seq
                vault.due_at = 0.0
                notifications.publish(event)
                _warn_of(event)
                has_news = True
        if has_news:
            self.show_at = time.monotonic() + SETTLING_S
        elif self.show_at is not None and time.monotonic() >= self.show_at:
            self._show_state()

    def _show_state(self) -> None:
        # What is chosen by now may be another service than this keeper's; `_work` opens that one.
        if self.monitor.is_changing():
            return
        self.show_at = None
        if self.shared is None or self.monitor.abortRequested():
            return
        try:
            status_display.show(self.shared.keeper, self.complete)
        except Error as error:
            log.info(f"{error.code}: {error.message}")

    # The work: may use the network

    def _work(self) -> None:
        if self.monitor.settled():
            self.open_at = 0.0
        if time.monotonic() >= self.open_at:
            self._open()
            self._show_state()
        elif time.monotonic() >= self.find_at:
            self._find_private()
        has_returned = self._network_returned()
        due = [
            vault for vault in self._vaults() if has_returned or time.monotonic() >= vault.due_at
        ]
        # A server that lets one vault's renewals wait does not hold up the logouts of another.
        if has_returned or len(due) > 1:
            for vault in due:
                self._attempt(vault, lambda vault: vault.keeper.drain(due_only=not has_returned))
        for vault in due:
            self._attempt(vault, self._look_after)

    def _attempt(self, vault: Vault, work: Callable[[Vault], object]) -> None:
        """Does one piece of work; what fails holds up no other vault. Its failure is in the log and
        the audit trail; the viewer did not start it and is not disturbed.
        """
        try:
            work(vault)
        except Cancelled:
            return
        except Error as error:
            log.info(f"{error.code}: {error.message}")
        except Exception as error:  # noqa: BLE001 - see _guarded
            self._note_defect(error)
        else:
            return
        vault.due_at = time.monotonic() + PAUSE_S

    def _look_after(self, vault: Vault) -> None:
        vault.due_at = time.monotonic() + PLAN_S
        post_logout.finish(vault.keeper)
        report = vault.keeper.upkeep()
        logout.announce_confirmed(vault.keeper)
        if report.next_at is not None:
            left = max(0.0, report.next_at - time.time())
            vault.due_at = min(vault.due_at, time.monotonic() + left)

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
