"""The keeper: signs in, keeps signed in, signs out, for one data directory.

It holds a number that the compiled module knows it by, and no state of the session: any number of
keepers, in any number of interpreters and threads, work on the same one. What its owner wants to be
called for, after a logout or with the audit trail, is kept here. Times are whole seconds since
1970-01-01 UTC, durations are seconds.
"""

from __future__ import annotations

from . import afterwards, credentials, operation
from .accounts import StoredAccount, checked_id
from .device import DeviceLogin
from .records import AuditEvent, DrainReport, LogoutReport, OutboxEntry, Status
from .session import Session
from .sinks import AuditSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Mapping

    from .afterwards import Handler, Hook
    from .operation import Stop
    from .records import TaskResult
    from .shapes import Details, EventShape, Forgotten, NextWork
    from .sinks import Sink


class Keeper:
    """What `open()` gives. Each method that takes `stop` uses it instead of the keeper's own.

    Every method may raise `StorageError`, and `Cancelled` after `stop` said True. Those that use
    the network may raise `NetworkError` and what is below it, `UnexpectedAnswer` and
    `HostNotAllowed`.
    """

    __slots__ = ("_handle", "_hooks", "_native", "_sink", "_stop", "data_dir", "provider")

    def __init__(
        self,
        native: ModuleType,
        handle: int,
        provider: str,
        data_dir: str | None,
        stop: Stop | None,
        *,
        hooks: Mapping[str, Hook],
        audit_sink: Sink | None,
    ) -> None:
        self._native = native
        self._handle = handle
        self._stop = stop
        self._hooks = hooks
        self._sink = AuditSink(audit_sink, self._run) if audit_sink is not None else None
        self.provider = provider
        #: The data directory; None where the core chose its default.
        self.data_dir = data_dir

    def __repr__(self) -> str:
        return f"<Keeper provider={self.provider!r} data_dir={self.data_dir!r}>"

    def status(self, *, stop: Stop | None = None) -> Status:
        """What is stored. No network."""
        return self._status("status", {}, stop)

    @property
    def session(self) -> Session | None:
        """The session as it is stored, without any network; None when nobody is signed in."""
        return self._usable(self.status())

    def restore(self, offline: bool = False, *, stop: Stop | None = None) -> Session | None:
        """Brings the session back and renews it where needed; None when nobody is signed in.

        With `offline` the network is never used; the session may then have to be renewed before
        its first request, which it does by itself. What an earlier logout left to do is done first.
        """
        self.finish_logout(stop=stop)
        status = self._status("restore", {"offline": True} if offline else {}, stop)
        self._tell_sink(stop)
        return self._usable(status)

    def login(self, username: str, password: str | bytes, *, stop: Stop | None = None) -> Session:
        """Signs in. A session of the same account that was there before is ended at the server
        afterwards; another account stays stored and is no longer the active one.

        Raises `InvalidInput` for an empty or unusable name or password, and where the provider
        signs in with a code; `CredentialsRefused`.
        """
        arguments = {
            "username": credentials.username(username),
            "password": credentials.password(password),
        }
        self.finish_logout(stop=stop)
        return Session(self._status("login", arguments, stop), self._run)

    def start_device_login(self, *, stop: Stop | None = None) -> DeviceLogin:
        """Asks the service for a code that the user enters on another device.

        Show it, then call `DeviceLogin.wait()`, which signs in as `login()` does. Raises
        `InvalidInput` where the provider signs in with a user name and a password.
        """
        self.finish_logout(stop=stop)
        return DeviceLogin(self._run("login_start", {}, stop), self._run, self._native.qr)

    def renew(self, *, stop: Stop | None = None) -> Session:
        """Gets fresh access without the user. Raises `NotSignedIn`, `SessionExpired`."""
        return Session(self._status("renew", {}, stop), self._run)

    def accounts(self, all: bool = False, *, stop: Stop | None = None) -> list[StoredAccount]:  # noqa: A002
        """The accounts that are stored for this provider, or with `all` for every provider of the
        data directory. No network."""
        arguments = {"all": True} if all else {}
        stored = self._run("accounts", arguments, stop)["accounts"]
        return [StoredAccount.from_shape(shape) for shape in stored]

    def switch(self, account_id: str, *, stop: Stop | None = None) -> Session | None:
        """Makes a stored account the active one. No network. None when its access has ended and
        only a new login helps. Raises `UnknownAccount`."""
        return self._usable(self._status("switch", {"account": checked_id(account_id)}, stop))

    def logout(
        self,
        local_only: bool = False,
        everywhere: bool = False,
        deadline: float | None = None,
        account: str | None = None,
        *,
        stop: Stop | None = None,
    ) -> LogoutReport:
        """Signs out, here at once and at the server within `deadline` seconds, else later.

        Signing out when signed out is a success. Stopping it means: signed out here, the server
        is told later, and the functions of `after_logout` are called later. `everywhere` ends the
        account's other sessions; raises `InvalidInput` where the provider has no way to. `account`
        is the id of a stored account, by default the active one; once that one is signed out,
        nobody is active, and the other accounts stay stored. Raises `LogoutIncomplete` when neither
        the disk nor the server could be reached.
        """
        arguments: dict[str, Any] = {
            "local_only": local_only,
            "everywhere": everywhere,
            "deadline": deadline,
        }
        if account is not None:
            arguments["account"] = checked_id(account)
        if self._hooks:
            arguments["hooks"] = list(self._hooks)
        report = LogoutReport.from_shape(self._run("logout", arguments, stop))
        tasks = afterwards.finish(self._run, self._stopper(stop), {}, self._hooks, report)
        return report.completed(tasks, self._tell_sink(stop))

    def remove(self, account_id: str, *, stop: Stop | None = None) -> LogoutReport:
        """Signs a stored account out and so removes it from this device: `logout(account=…)`."""
        return self.logout(account=account_id, stop=stop)

    def finish_logout(
        self, handlers: Mapping[str, Handler] | None = None, *, stop: Stop | None = None
    ) -> list[TaskResult]:
        """Does what a logout left to do and somebody is here for; never raises for what fails.

        That is the functions of `after_logout` that have not had their turn, and what `handlers`
        can do, by kind: "window_property" and "builtin", each called with the name of what to
        clear or to run. `restore()` and every login begin with it.
        """
        return afterwards.finish(self._run, self._stopper(stop), handlers or {}, self._hooks)

    def outbox(self, *, stop: Stop | None = None) -> list[OutboxEntry]:
        """The logouts that the server has not confirmed yet. No network."""
        return [OutboxEntry.from_shape(e) for e in self._run("outbox", {}, stop)["entries"]]

    def drain(self, due_only: bool = False, *, stop: Stop | None = None) -> DrainReport:
        """Tries the waiting logouts now, or with `due_only` those whose time has come."""
        report = DrainReport.from_shape(self._run("drain", {"due_only": due_only}, stop))
        self._tell_sink(stop)
        return report

    def audit(self, limit: int = 100, *, stop: Stop | None = None) -> list[AuditEvent]:
        """The last `limit` lines of the audit trail, oldest first."""
        lines = self._run("audit", {"limit": limit}, stop)["events"]
        return [AuditEvent.from_shape(line) for line in lines]

    def details(self, *, stop: Stop | None = None) -> Details:
        """The status, when this login and its last renewal were, and the names of the cookies."""
        details: Details = self._run("details", {}, stop)
        return details

    def next_work(self, *, stop: Stop | None = None) -> NextWork:
        """When a service should call `renew` ("renew_at") and `drain` ("drain_at") next."""
        work: NextWork = self._run("next_work", {}, stop)
        return work

    def forget(self, *, stop: Stop | None = None) -> Forgotten:
        """Logs out, then erases the device key, the sessions and the waiting logouts for good.

        The server is tried once; what it has not been told by then, it never will be. Says how
        many sessions and how many waiting logouts were erased. The functions of `after_logout` are
        not called: log out first where they matter.
        """
        forgotten: Forgotten = self._run("forget", {}, stop)
        return forgotten

    def doctor(self, *, stop: Stop | None = None) -> dict[str, Any]:
        """What this machine can do: key, vault, locks, TLS, clock, file system, versions."""
        findings: dict[str, Any] = self._run("doctor", {}, stop)
        return findings

    def events(self, after: int = -1) -> list[EventShape]:
        """What happened in this process with a greater `seq` than `after`, oldest first.

        With -1: one entry with the newest number and the event "", to start from now.
        """
        events: list[EventShape] = self._native.take_events(self._handle, after)
        return events

    def take_log(self) -> list[tuple[int, str]]:
        """The log lines not taken yet: (level, text), level 0 debug, 1 info, 2 warning, 3 error."""
        return [(level, text) for level, text in self._native.take_log(self._handle)]

    def _run(self, verb: str, arguments: dict[str, Any], stop: Stop | None) -> Any:
        return operation.run(self._native, self._handle, verb, arguments, self._stopper(stop))

    def _stopper(self, stop: Stop | None) -> Stop | None:
        return self._stop if stop is None else stop

    def _tell_sink(self, stop: Stop | None) -> str:
        """The audit sink gets what is new, unless there is no time. What went wrong, or ""."""
        stop = self._stopper(stop)
        if self._sink is None or (stop is not None and stop()):
            return ""
        return self._sink.deliver(stop)

    def _status(self, verb: str, arguments: dict[str, Any], stop: Stop | None) -> Status:
        return Status.from_shape(self._run(verb, arguments, stop))

    def _usable(self, status: Status) -> Session | None:
        return Session(status, self._run) if status.usable else None
