"""The keeper: logs in, stays logged in, logs out, for one data directory.

It holds a number that the compiled module knows it by, and no state of the session: any number of
keepers, in any number of interpreters and threads, work on the same one. What its owner wants to be
called for, after a logout or with the audit trail, is kept here. Times are whole seconds since
1970-01-01 UTC, durations are seconds.
"""

from __future__ import annotations

from . import operation
from .records import Account, Status
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Callable, Mapping

    from ._types import Answering, Cookies, Credentials, Handler, Hook, Progress, Sink, Stop
    from .browser import BrowserLogin
    from .catalogue import Provider
    from .device import DeviceLogin
    from .errors import Error
    from .handover import Handover
    from .reports import (
        AuditEvent,
        ConfirmedLogout,
        Details,
        Doctor,
        DrainReport,
        Event,
        Forgotten,
        LogoutAll,
        LogoutReport,
        OutboxEntry,
        Permission,
        Schedule,
        StoredAccount,
        TaskResult,
        UpkeepReport,
        Vaults,
    )


class Keeper:
    """What `open()` gives. Each method that takes `stop` uses it instead of the keeper's own.

    Every method may raise `StorageError`, `InvalidInput` for an argument that cannot be used, and
    `Cancelled` after `stop` said True. Those that need a session raise `PermissionNeeded` where the
    viewer has not allowed the calling add-on to use it. Those that use the network may raise
    `NetworkError` and what is below it, `UnexpectedAnswer` and `HostNotAllowed`.
    """

    __slots__ = (
        "_handle",
        "_handover",
        "_hooks",
        "_native",
        "_sink",
        "_stop",
        "data_dir",
        "provider",
    )

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
        handover: Handover | None,
    ) -> None:
        self._native = native
        self._handle = handle
        self._stop = stop
        self._hooks = hooks
        self._handover = handover
        self._sink = None
        if audit_sink is not None:
            from .sinks import AuditSink

            self._sink = AuditSink(audit_sink, self._run)
        self.provider = provider
        #: The data directory; None where the core chose its default.
        self.data_dir = data_dir

    def __del__(self) -> None:
        # A constructor that failed, or an interpreter that ends, has nothing left to close with.
        try:  # noqa: SIM105 - importing contextlib costs more
            self._native.close(self._handle)
        except Exception:  # noqa: BLE001, S110 - as above
            pass

    def __repr__(self) -> str:
        return f"<Keeper provider={self.provider!r} data_dir={self.data_dir!r}>"

    def describe(self) -> Provider:
        """What the provider file says of the service: its name, its website, how one logs in."""
        from .catalogue import Provider

        return Provider.from_dict(self._run("describe", {}, None))

    def status(self, *, stop: Stop | None = None) -> Status:
        """What is stored. No network."""
        return self._status("status", {}, stop)

    @property
    def session(self) -> Session | None:
        """The session as it is stored, without any network; None when nobody is logged in, or the
        account needs the viewer's permission."""
        return self._usable(self.status())

    def restore(self, *, offline: bool = False, stop: Stop | None = None) -> Session | None:
        """Brings the session back and renews it where needed; None when nobody is logged in, or the
        account needs the viewer's permission.

        With `offline` the network is never used; the session may then have to be renewed before
        its first request, which it does by itself. What an earlier logout left to do is done first.
        With `adopt_file` or `adopt_settings` of `open()`, the session that each holds is taken over
        first, unless `offline`; what keeps it from being taken over is raised where nobody is
        logged in otherwise. Who is logged in waits for that 1 s at most, once in a minute, and
        stays the active account.
        """
        self._finish_hooks(stop)
        trouble = None if offline else self._take_handover(stop)
        status = self._status("restore", {"offline": offline}, stop)
        self._tell_sink(stop)
        session = self._usable(status)
        if session is None and trouble is not None:
            raise trouble
        return session

    def has_handover(self) -> bool:
        """Whether `adopt_file` or `adopt_settings` of `open()` still hold something. `logout()`
        ends that as well, also where nobody is logged in. No network."""
        return self._handover is not None and bool(self._handover.held(self._run))

    def adopt(
        self,
        cookies: Cookies | None = None,
        tokens: Mapping[str, Any] | None = None,
        *,
        stop: Stop | None = None,
    ) -> Session:
        """Takes over a session that was kept elsewhere, once the server has accepted it. It is
        stored as a login is: another session of the same account that was there before is ended.

        cookies: a cookie jar (of `http.cookiejar`, requests or httpx), a list of cookies or of
            dictionaries with "name", "value" and, as far as known, "domain", "path" and "expires";
            or a dictionary of names and values. Those that are not for the service's hosts are
            left out.
        tokens: a dictionary with "access_token", "refresh_token", "id_token" and "expires_at" (Unix
            seconds) or "expires_in" (seconds from now), or with the names that the service's own
            answers have.

        The server is asked whose account it is, or as its logout is proved, or for a renewal;
        where one of these works the session is stored, with fresh tokens where it was renewed: the
        caller's copy is then of no use any more. Where the service can be asked nothing of this, a
        token that names its own end in the future is taken at its word, and the audit trail says
        "unchecked". Nothing is deleted at the caller's.

        Raises `SessionExpired` when it is not valid any more, and `InvalidInput` when it is no
        session of this service or nothing can tell; then nothing is stored, nor after
        `NetworkError` and `UnexpectedAnswer`, after which it can be tried again.
        """
        from .handover import options

        return Session(self._status("adopt", options(cookies, tokens), stop), self._run)

    def request_access(self, *, again: bool = False, stop: Stop | None = None) -> bool:
        """Whether the calling add-on may use the account that is logged in. Asks the viewer, in a
        dialog that names the add-on, the account and the service, where she has not answered yet.

        Her answer is remembered, a no as well: she can change it in Sessionkeeper under Accounts.
        `again` asks once more after a no, for a button that she has pressed herself. False also
        where she left the question open, where one is on the screen already, and where nobody is
        logged in: then log in, which allows the account to the add-on. Outside Kodi and at a
        private vault nobody is asked, and it is True.
        """
        access = self._run("access", {}, stop)
        account, answer = access["account"], access["answer"]
        if answer or account is None or (answer is False and not again):
            return bool(answer)
        from .kodi import consent

        who = Account.from_dict(account)
        allowed = consent.ask(access["addon"], access["service"], who, self._stop_of(stop))
        if allowed is None:
            return False
        from .errors import UnknownAccount

        try:
            self.set_permission(access["addon"], who.id, allowed, stop=stop)
        except UnknownAccount:  # logged out while the question was on the screen
            return False
        return allowed

    def permissions(self, *, all: bool = False, stop: Stop | None = None) -> list[Permission]:  # noqa: A002
        """The viewer's answers about add-ons and the accounts of this provider, or with `all` of
        every provider; to an add-on, those about itself. No network."""
        from .reports import Permission

        answers = self._run("permissions", {"all": all}, stop)["permissions"]
        return [Permission.from_dict(answer) for answer in answers]

    def set_permission(
        self, addon: str, account_id: str, allowed: bool | None, *, stop: Stop | None = None
    ) -> None:
        """Stores what the viewer has said: whether this add-on may use a stored account of this
        provider; None forgets her answer, and she is asked again. It counts at once, everywhere.

        For a list like the one under Accounts; an add-on has `request_access()`, and can answer for
        itself only. Raises `UnknownAccount`.
        """
        options = {"addon": addon, "account": account_id, "allowed": allowed}
        self._run("set_permission", options, stop)

    def unencrypted(self, *, stop: Stop | None = None) -> list[str]:
        """Where this service is reached without encryption and nobody has agreed to that, each as
        "http://HOST:PORT": a login raises `EncryptionMissing` then. Only in one's own network (RFC
        1918, RFC 4193, link-local, `.local`, `.home.arpa`), and only where the provider file has
        `lan = true`. No network.
        """
        addresses: list[str] = self._run("unencrypted", {}, stop)["addresses"]
        return addresses

    def allow_unencrypted(
        self, address: str, allowed: bool = True, *, stop: Stop | None = None
    ) -> None:
        """Stores the viewer's word that everybody in this network may read what is sent to
        `address`, one of `unencrypted()`; False takes it back, for logins to come. Ask her first:
        `sessionkeeper.kodi.log_in` does. Raises `InvalidInput` for any other address.
        """
        options = {"address": address, "allowed": allowed}
        self._run("set_unencrypted", options, stop)

    def login(
        self,
        username: str,
        password: str | bytes,
        *,
        answer: Answering | None = None,
        stop: Stop | None = None,
    ) -> Session:
        """Logs in. The add-on that does may use the account from then on. A session of the same
        account that was there before is ended at the server; that is waited for 3 s at most, and
        goes on by itself then. Another account stays stored and is no longer the active one.

        answer: called where the service asks for more, such as the code from an authenticator app,
            with the `Question`; gives what the user types, or None to give the login up. A wrong
            answer is asked for again, as often as the service's file says.

        Raises `InvalidInput` for an empty or unusable name, password or answer, and where the
        provider takes none; `CredentialsRefused`; where the service asks for more `AnswerNeeded`
        without `answer`, `AnswerRefused`, `CodeExpired` after five minutes, and `Cancelled` where
        the login was given up. What the service has begun by then is ended.
        """
        options: dict[str, Any] = {"username": username, "password": _as_bytes(password)}
        if answer is not None:
            options["answers"] = True
        self._finish_hooks(stop)
        turn = self._run("login", options, stop)
        if answer is not None and "question" in turn:
            del options, password  # nothing of it is kept while somebody types
            from .question import settle

            turn = settle(self._run, turn, answer, self._stop_of(stop))
        return Session(Status.from_dict(turn), self._run)

    def restore_or_login(
        self,
        credentials: Credentials | None = None,
        *,
        show_code: Callable[[DeviceLogin], object] | None = None,
        answer: Answering | None = None,
        open_browser: Callable[[BrowserLogin], object] | None = None,
        stop: Stop | None = None,
    ) -> Session:
        """`restore()`, and where that gives nobody, or the session is over, a login by the first of
        the service's ways in that the arguments are for.

        credentials: gives the user name and the password, which are to be forgotten afterwards;
            None means that there are none: raises `NotSignedIn`.
        show_code: shows what `start_device_login()` gives, and returns; the code is waited for.
        answer: as `login()` takes it.
        open_browser: opens the `url` of what `start_browser_login()` gives in a browser on this
            machine, and returns; the browser is waited for.

        The first two are called only then, once. Raises `InvalidInput` where the service has no
        such way in, and what `restore()` and the login raise; without a network nobody is asked.
        """
        from .errors import InvalidInput, NotSignedIn, SessionExpired

        try:
            session = self.restore(stop=stop)
        except SessionExpired:
            session = None
        if session is not None:
            return session
        ways = {
            "password": credentials,
            "device_code": show_code,
            "authorization_code": open_browser,
        }
        offered = [kind for kind, function in ways.items() if function is not None]
        if len(offered) > 1:
            offered = [kind for kind in self.describe().logins if kind in offered] or offered
        if "device_code" in offered[:1] and show_code is not None:
            device = self.start_device_login(stop=stop)
            show_code(device)
            return device.wait(stop)
        if "authorization_code" in offered[:1] and open_browser is not None:
            browser = self.start_browser_login(stop=stop)
            open_browser(browser)
            return browser.wait(stop)
        if credentials is None:
            raise InvalidInput(
                "There is no way to log in.",
                "Give credentials, a function that returns a name and a password, show_code, or"
                " open_browser.",
            )
        given: Any = credentials()
        if given is None:
            raise NotSignedIn("Nobody is logged in, and no user name and password were given.")
        if not isinstance(given, (tuple, list)) or len(given) != 2:
            raise InvalidInput(
                "What credentials() gave is not a user name and a password.",
                "Return both, as in: return name, password",
            )
        return self.login(*given, answer=answer, stop=stop)

    def start_device_login(self, *, stop: Stop | None = None) -> DeviceLogin:
        """Asks the service for a code that the user enters on another device.

        Show it, then call `DeviceLogin.wait()`, which logs in as `login()` does. Raises
        `InvalidInput` where the provider has no such way in.
        """
        from .device import DeviceLogin

        self._finish_hooks(stop)
        return DeviceLogin(self._run("login_start", {}, stop), self._run, self._native.qr)

    def start_browser_login(
        self, redirect: str = "loopback", *, stop: Stop | None = None
    ) -> BrowserLogin:
        """Makes the address that a browser opens to log in. Nothing is opened here.

        redirect: "loopback" where the browser is on this machine: call `BrowserLogin.wait()`, which
            listens for it on this machine alone, for 5 minutes. "paste" where it is elsewhere: give
            the address at which it ended to `BrowserLogin.finish()`, within 15 minutes.

        Several may be on their way at once, each with an address of its own. Raises `InvalidInput`
        where the provider has no such way in, or no such place for the browser to end at.
        """
        from .browser import BrowserLogin

        self._finish_hooks(stop)
        begun = self._run("browser_login_start", {"redirect": redirect}, stop)
        return BrowserLogin(begun, self._run, self._native.qr)

    def renew(self, *, stop: Stop | None = None) -> Session:
        """Gets fresh access without the user. Raises `NotSignedIn`, `SessionExpired`."""
        return Session(self._status("renew", {}, stop), self._run)

    def accounts(self, *, all: bool = False, stop: Stop | None = None) -> list[StoredAccount]:  # noqa: A002
        """The accounts that are stored for this provider, or with `all` for every provider of the
        data directory. No network."""
        from .reports import StoredAccount

        stored = self._run("accounts", {"all": all}, stop)["accounts"]
        return [StoredAccount.from_dict(account) for account in stored]

    def switch(self, account_id: str, *, stop: Stop | None = None) -> Session | None:
        """Makes a stored account the active one. No network. None when its access has ended and
        only a new login helps. Raises `UnknownAccount`."""
        return self._usable(self._status("switch", {"account": account_id}, stop))

    def logout(
        self,
        *,
        local_only: bool = False,
        everywhere: bool = False,
        deadline: float | None = None,
        account: str | None = None,
        stop: Stop | None = None,
    ) -> LogoutReport:
        """Logs out, here at once and at the server within `deadline` seconds, else later. So does
        what `adopt_file` and `adopt_settings` still hold, unless `account` names another one.

        Logging out when logged out is a success, and so it is to an add-on that may not use the
        account, which stays. Stopping it means: logged out here, the server
        is told later, and the functions of `after_logout` are called later. `everywhere` ends the
        account's other sessions; raises `InvalidInput` where the provider has no way to. `account`
        is the id of a stored account, by default the active one; once that one is logged out,
        nobody is active, and the other accounts stay stored. Raises `LogoutIncomplete` when neither
        the disk nor the server could be reached.
        """
        from .reports import LogoutReport

        options = {
            "local_only": local_only,
            "everywhere": everywhere,
            "deadline": deadline,
            "account": account,
            "hooks": list(self._hooks),
        }
        report = LogoutReport.from_dict(self._with_handover("logout", options, stop))
        tasks = self._finish_hooks(stop, report)
        return report.completed(tasks, self._tell_sink(stop))

    def logout_all(
        self,
        *,
        deadline: float | None = None,
        stop: Stop | None = None,
        progress: Progress | None = None,
    ) -> LogoutAll:
        """Logs out of everything, for the day the device is sold, lent or returned: every account
        of every service in this data directory and in the private vaults registered with it.

        Each logout is the ordinary one, here at once and at the server within `deadline` seconds
        for all of them together; the rest is told later. Stopping it means the same. What could not
        be done is in the result. `progress` is called with how many are done, and of how many. The
        functions of `after_logout` are called for this keeper's own accounts at its own provider.

        Raises `InvalidInput` for an add-on that uses another one's vault.
        """
        from .reports import LogoutAll

        options = {"deadline": deadline, "hooks": list(self._hooks)}
        done = LogoutAll.from_dict(self._with_handover("logout_all", options, stop, progress))
        if self._hooks:
            from .post_logout import report_of

            self._finish_hooks(stop, report_of(done, self.provider))
        self._tell_sink(stop)
        return done

    def remove(self, account_id: str, *, stop: Stop | None = None) -> LogoutReport:
        """Logs a stored account out and so removes it from this device: `logout(account=…)`."""
        return self.logout(account=account_id, stop=stop)

    def finish_logout(
        self, handlers: Mapping[str, Handler] | None = None, *, stop: Stop | None = None
    ) -> list[TaskResult]:
        """Does what a logout left to do here. A failure is in the results and raises nothing.

        That is the functions of `after_logout` that have not had their turn, and what `handlers`
        can do, by kind: "window_property" and "builtin", each called with the name of what to
        clear or to run. `restore()` and every login begin with it.
        """
        from .post_logout import finish

        return finish(self._run, self._stop_of(stop), handlers or {}, self._hooks)

    def outbox(self, *, stop: Stop | None = None) -> list[OutboxEntry]:
        """The logouts that the server has not confirmed yet; to an add-on at the shared vault those
        of accounts that it may use, or could until they were logged out. No network."""
        from .reports import OutboxEntry

        return [OutboxEntry.from_dict(entry) for entry in self._run("outbox", {}, stop)["entries"]]

    def drain(self, *, due_only: bool = False, stop: Stop | None = None) -> DrainReport:
        """Tries the waiting logouts now, or with `due_only` those whose time has come."""
        from .reports import DrainReport

        report = DrainReport.from_dict(self._run("drain", {"due_only": due_only}, stop))
        self._tell_sink(stop)
        return report

    def take_confirmations(self, *, stop: Stop | None = None) -> list[ConfirmedLogout]:
        """The logouts, of every provider of the data directory, that the server has confirmed since
        their users were told that it would be told later; oldest first. Each is given once, also
        over restarts: show it. One that `logout()` itself reported is not among them. An add-on at
        the shared vault gets none: Sessionkeeper's service shows them. No network.
        """
        from .reports import ConfirmedLogout

        taken = self._run("take_confirmations", {}, stop)["logouts"]
        return [ConfirmedLogout.from_dict(one) for one in taken]

    def audit(self, limit: int = 100, *, stop: Stop | None = None) -> list[AuditEvent]:
        """The last `limit` lines of the audit trail, oldest first; to an add-on at the shared vault
        those about accounts that it may use, or could until they were logged out, and the viewer's
        words on itself. So is what its `audit_sink` gets."""
        from .reports import AuditEvent

        lines = self._run("audit", {"limit": limit}, stop)["events"]
        return [AuditEvent.from_dict(line) for line in lines]

    def details(self, *, stop: Stop | None = None) -> Details:
        """The status, with when this login and its last renewal were, when the next one is, and
        when the session ends at the latest. No network."""
        from .reports import Details

        return Details.from_dict(self._run("details", {}, stop))

    def schedule(self, *, stop: Stop | None = None) -> Schedule:
        """When the active account's renewal and the next waiting logout are due. `upkeep()` does
        what is due, for every account, and says when it is next. No network."""
        from .reports import Schedule

        return Schedule.from_dict(self._run("schedule", {}, stop))

    def vaults(self, *, stop: Stop | None = None) -> Vaults:
        """The private vaults of add-ons that are registered with this data directory, for whoever
        looks after them too. One that has vanished is told once. No network."""
        from .reports import Vaults

        return Vaults.from_dict(self._run("vaults", {}, stop))

    def serve(self, *, stop: Stop | None = None) -> None:
        """From now on, and for as long as this keeper is held, this process is the one that looks
        after the data directory: call `upkeep()` whenever it is due. Raises `StorageError`, which
        names the process, where there is such a one already."""
        self._run("serve", {}, stop)

    def upkeep(self, *, stop: Stop | None = None) -> UpkeepReport:
        """Does what is due, for every account of every provider in the data directory: tells once
        that a session is back, renews, delivers the waiting logouts, and finishes what a logout or
        an interrupted login left, as far as that takes no Python.

        Cheap where nothing is due, so call it as often as somebody else may have changed
        something, and at `UpkeepReport.next_at`. An account that cannot be renewed is in the
        report and holds up no other.
        """
        from .reports import UpkeepReport

        report = UpkeepReport.from_dict(self._run("upkeep", {}, stop))
        self._tell_sink(stop)
        return report

    def forget(self, *, stop: Stop | None = None) -> Forgotten:
        """Logs out, then erases the device key, the sessions and the waiting logouts for good.

        Not for an add-on at the shared directory: `InvalidInput`. The server is tried once; what it
        has not been told by then, it never will be. The functions
        of `after_logout` are not called: log out first where they matter.
        """
        from .reports import Forgotten

        return Forgotten.from_dict(self._with_handover("forget", {}, stop))

    def doctor(self, *, stop: Stop | None = None) -> Doctor:
        """What this machine can do: key, vault, locks, TLS, clock, file system, versions."""
        from .reports import Doctor

        return Doctor.from_dict(self._run("doctor", {}, stop))

    def events(self, after: int = 0) -> list[Event]:
        """What happened in this process with a greater `seq` than `after`, oldest first; the last
        256 at most."""
        from .reports import Event

        return [Event.from_dict(event) for event in self._events(after)["events"]]

    def newest_event(self) -> int:
        """The greatest `seq` until now, to ask for what comes later; 0 where nothing happened."""
        newest: int = self._events(2**62)["newest"]
        return newest

    def take_log(self) -> list[tuple[int, str]]:
        """The log lines not taken yet: (level, text), level 0 debug, 1 info, 2 warning, 3 error."""
        return [(level, text) for level, text in self._run("log", {}, None)["lines"]]

    def _run(
        self,
        verb: str,
        options: dict[str, Any],
        stop: Stop | None,
        progress: Progress | None = None,
    ) -> Any:
        stop = self._stop_of(stop)
        return operation.run(self._native, self._handle, verb, options, stop, progress)

    def _take_handover(self, stop: Stop | None) -> Error | None:
        """Takes over what was handed over to `open()`. What went wrong."""
        if self._handover is None:
            return None
        from .errors import Error

        try:
            self._handover.take(self._run, stop)
        except Error as error:
            return error
        return None

    def _with_handover(
        self,
        verb: str,
        options: dict[str, Any],
        stop: Stop | None,
        progress: Progress | None = None,
    ) -> Any:
        """Ends what was handed over to `open()` as well, and then empties what held it."""
        if self._handover is None:
            return self._run(verb, options, stop, progress)
        from .errors import Error

        held = self._handover.held(self._run)
        options = {**options, "handed_over": [one.options for one in held]}
        done = self._run(verb, options, stop, progress)
        for one in held:
            try:  # noqa: SIM105 - importing contextlib costs more
                one.settle(self._run, lambda: False, offline=True)
            except Error:  # it is over all the same, and is emptied the next time
                pass
        return done

    def _stop_of(self, stop: Stop | None) -> Stop | None:
        return self._stop if stop is None else stop

    def _finish_hooks(
        self, stop: Stop | None, report: LogoutReport | None = None
    ) -> list[TaskResult]:
        if not self._hooks:
            return []
        from .post_logout import finish

        return finish(self._run, self._stop_of(stop), {}, self._hooks, report)

    def _tell_sink(self, stop: Stop | None) -> str:
        """The audit sink gets what is new, unless there is no time. What went wrong, or ""."""
        stop = self._stop_of(stop)
        if self._sink is None or (stop is not None and stop()):
            return ""
        return self._sink.deliver(stop)

    def _events(self, after: int) -> dict[str, Any]:
        events: dict[str, Any] = self._run("events", {"after": after}, None)
        return events

    def _status(self, verb: str, options: dict[str, Any], stop: Stop | None) -> Status:
        return Status.from_dict(self._run(verb, options, stop))

    def _usable(self, status: Status) -> Session | None:
        return Session(status, self._run) if status.usable else None


def _as_bytes(password: str | bytes | bytearray) -> bytes:
    """SECRET. What is neither is refused by the core."""
    if isinstance(password, bytearray):
        return bytes(password)
    if not isinstance(password, str):
        return password
    # The error of `encode` holds the whole text; it ends here, before ours is made.
    try:
        return password.encode()
    except UnicodeError:
        pass
    from .errors import InvalidInput

    raise InvalidInput("The password holds a character that cannot be used.")
