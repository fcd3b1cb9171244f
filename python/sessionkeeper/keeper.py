"""The keeper: signs in, keeps signed in, signs out, for one data directory.

It holds a number that the compiled module knows it by, and no state of its own: any number of
keepers, in any number of interpreters and threads, work on the same session. Times are whole
seconds since 1970-01-01 UTC, durations are seconds.
"""

from __future__ import annotations

from . import loading, operation
from .configuration import configuration
from .errors import InvalidInput, error_from
from .records import AuditEvent, DrainReport, LogoutReport, OutboxEntry, Status
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from types import ModuleType
    from typing import Any, Iterable, Mapping

    from .operation import Stop
    from .shapes import Details, EventShape, Forgotten, NextWork, Opened, ProviderSummary


def open(  # noqa: A001 - the API is `sessionkeeper.open()`
    provider: str | os.PathLike[str] | Mapping[str, Any] = "angel",
    *,
    data_dir: str | os.PathLike[str] | None = None,
    key_dir: str | os.PathLike[str] | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    proxy: str | None = None,
    resolve: str | Iterable[str] = (),
    timeout: float = 30.0,
    connect_timeout: float = 10.0,
    answer_timeout: float = 15.0,
    logout_deadline: float = 10.0,
    renewal_margin: int = 3600,
    log_level: str = "info",
    stop: Stop | None = None,
) -> Keeper:
    """Gives the keeper of a data directory. Touches no session and no network.

    provider: id of a built-in service, path of a .toml file, or a dictionary of that file's form.
    data_dir: defaults to the calling add-on's profile directory in Kodi, else to a directory of
        the user's own.
    key_dir: where the device key lies; defaults to the user's data directory, outside Kodi's.
    ca_file: a PEM file of certificate authorities to trust beside the built-in ones.
    proxy: "system" (the default: the environment's), "none", or a URL.
    resolve: "HOST:PORT:ADDRESS" items: connect to ADDRESS at PORT instead of HOST, for tests.
    timeout, connect_timeout, answer_timeout, logout_deadline: seconds.
    renewal_margin: renew when the access ends within so many seconds.
    log_level: "error", "warning", "info" or "debug".
    stop: asked every 100 ms while an operation runs; True cancels the operation.

    Raises `VersionMismatch` or `NativeModuleMissing` before any data is touched, `InvalidInput`,
    `UnknownProvider` and `InvalidProvider`.
    """
    native = loading.native()
    config = configuration(
        provider,
        data_dir=data_dir,
        key_dir=key_dir,
        ca_file=ca_file,
        proxy=proxy,
        resolve=resolve,
        timeout=timeout,
        connect_timeout=connect_timeout,
        answer_timeout=answer_timeout,
        logout_deadline=logout_deadline,
        renewal_margin=renewal_margin,
        log_level=log_level,
    )
    opened: Opened = native.open(config)
    if "error" in opened:
        raise error_from(opened["error"])
    named = config.get("provider", provider.get("id", "") if isinstance(provider, dict) else "")
    return Keeper(native, opened["keeper"], str(named), config.get("data_dir"), stop)


def providers() -> list[ProviderSummary]:
    """The built-in services."""
    summaries: list[ProviderSummary] = loading.native().providers()
    return summaries


class Keeper:
    """What `open()` gives. Each method that takes `stop` uses it instead of the keeper's own.

    Every method may raise `StorageError`, and `Cancelled` after `stop` said True. Those that use
    the network may raise `NetworkError` and what is below it, `UnexpectedAnswer` and
    `HostNotAllowed`.
    """

    __slots__ = ("_handle", "_native", "_stop", "data_dir", "provider")

    def __init__(
        self,
        native: ModuleType,
        handle: int,
        provider: str,
        data_dir: str | None,
        stop: Stop | None,
    ) -> None:
        self._native = native
        self._handle = handle
        self._stop = stop
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
        its first request, which it does by itself.
        """
        return self._usable(self._status("restore", {"offline": True} if offline else {}, stop))

    def login(self, username: str, password: str | bytes, *, stop: Stop | None = None) -> Session:
        """Signs in. A session that was there before is ended at the server afterwards.

        Raises `InvalidInput` for an empty or unusable name or password, `CredentialsRefused`.
        """
        arguments = {"username": _username(username), "password": _password(password)}
        return Session(self._status("login", arguments, stop), self._run)

    def renew(self, *, stop: Stop | None = None) -> Session:
        """Gets fresh access without the user. Raises `NotSignedIn`, `SessionExpired`."""
        return Session(self._status("renew", {}, stop), self._run)

    def logout(
        self,
        local_only: bool = False,
        everywhere: bool = False,
        deadline: float | None = None,
        *,
        stop: Stop | None = None,
    ) -> LogoutReport:
        """Signs out, here at once and at the server within `deadline` seconds, else later.

        Signing out when signed out is a success. Stopping it means: signed out here, the server
        is told later. `everywhere` ends the account's other sessions where the provider can.
        Raises `LogoutIncomplete` when neither the disk nor the server could be reached.
        """
        arguments = {"local_only": local_only, "everywhere": everywhere, "deadline": deadline}
        return LogoutReport.from_shape(self._run("logout", arguments, stop))

    def outbox(self, *, stop: Stop | None = None) -> list[OutboxEntry]:
        """The logouts that the server has not confirmed yet. No network."""
        return [OutboxEntry.from_shape(e) for e in self._run("outbox", {}, stop)["entries"]]

    def drain(self, due_only: bool = False, *, stop: Stop | None = None) -> DrainReport:
        """Tries the waiting logouts now, or with `due_only` those whose time has come."""
        return DrainReport.from_shape(self._run("drain", {"due_only": due_only}, stop))

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
        many sessions and how many waiting logouts were erased.
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
        stop = self._stop if stop is None else stop
        return operation.run(self._native, self._handle, verb, arguments, stop)

    def _status(self, verb: str, arguments: dict[str, Any], stop: Stop | None) -> Status:
        return Status.from_shape(self._run(verb, arguments, stop))

    def _usable(self, status: Status) -> Session | None:
        return Session(status, self._run) if status.usable else None


_UNUSABLE = ("\0", "\r", "\n")


def _username(username: object) -> str:
    if not isinstance(username, str):
        raise InvalidInput("The user name must be text.")
    if not username.strip():
        raise InvalidInput("The user name is empty.", "Enter the name you sign in with.")
    if _utf8(username) is None or any(mark in username for mark in _UNUSABLE):
        raise InvalidInput("The user name holds a character that cannot be used.")
    return username


def _password(password: object) -> bytes:
    """The password as bytes, made once. No message and no exception here repeats any of it."""
    secret = _utf8(password) if isinstance(password, str) else password
    if isinstance(secret, bytearray):
        secret = bytes(secret)
    if secret is not None and not isinstance(secret, bytes):
        raise InvalidInput("The password must be text or bytes.")
    if secret == b"":
        raise InvalidInput("The password is empty.", "Enter your password.")
    if secret is None or not _is_utf8(secret) or any(mark.encode() in secret for mark in _UNUSABLE):
        raise InvalidInput("The password holds a character that cannot be used.")
    return secret


# UnicodeError keeps the text that it was raised for. So these two end it before an error of ours is
# made, which would otherwise carry it as its context.
def _utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeError:
        return None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeError:
        return False
    return True
