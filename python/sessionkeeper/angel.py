"""`AngelStudioSession`: the names that add-ons for Angel Studios already use, over a keeper.

An add-on changes its import and keeps its calls. What it gains: the session survives restarts, the
logout reaches the server, no pickle is written, and that of before is read without running it. It
keeps a password only as long as the object lives or until `logout()`, because `authenticate()` may
be asked to log in again.
"""

from __future__ import annotations

import time

from .errors import NotSignedIn, PermissionNeeded, SessionExpired
from .open import open as _open

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logging import Logger
    from typing import Any

    from .keeper import Keeper
    from .reports import LogoutReport
    from .session import Session

# The methods of a logger for the levels of the compiled module's log lines. Add-ons have loggers of
# their own, with these and no others, each for one text.
_LEVELS = ("debug", "info", "warning", "error")


class AngelStudioSession:
    """Logs in to Angel Studios with the calls of the class of that name in existing add-ons.

    `session_file`: where the add-on kept its session until now. The first `authenticate()` takes
    that session over, once the server has accepted it, and erases the file; while the server cannot
    be reached the file stays, and the next one tries again. `logger`: gets the log lines of the
    core. `timeout`: seconds for one whole request. It and `options` are those of
    `sessionkeeper.open()`; `adopt_settings=["jwt_token"]` is for add-ons that kept the token in a
    setting.
    """

    def __init__(
        self,
        username: str | None = None,
        password: str | bytes | None = None,
        session_file: str | None = None,
        logger: Logger | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> None:
        self.keeper: Keeper = _open(
            "angel", adopt_file=session_file or None, timeout=timeout, **options
        )
        self.username = username
        self.session_file = session_file
        self._password = password
        self._log = logger
        self._session: Session | None = None
        self._is_logged_out = False

    def __repr__(self) -> str:
        return f"<AngelStudioSession data_dir={self.keeper.data_dir!r}>"

    @property
    def session_valid(self) -> bool:
        """True once `authenticate()` has succeeded, until `logout()`."""
        return self._session is not None and not self._is_logged_out

    def authenticate(
        self,
        username: str | bool | None = None,
        password: str | bytes | None = None,
        force_reauthentication: bool = False,
    ) -> bool:
        """Restores the session, or logs in with the user name and the password, given here or when
        the object was made; so it does where the session is of another e-mail address than the user
        name given here. With `force_reauthentication` it logs in in any case. True, or raises:
        `NotSignedIn` when there is neither a session nor a password, `PermissionNeeded` when the
        viewer has not allowed the add-on to use the one that there is, and what `restore()` and
        `login()` raise."""
        meant = ""
        if isinstance(username, bool):
            # As it was called when there were no names.
            force_reauthentication = username
        elif username:
            self.username = meant = username
        self._password = password or self._password
        try:
            session = None if force_reauthentication else self._restored()
            if session is None or (self._password and _is_another_s(session, meant)):
                if not self.username or not self._password:
                    if self.keeper.status().state == "needs_permission":
                        raise PermissionNeeded(
                            "Somebody is logged in, and this add-on may not use the account yet.",
                            "Call keeper.request_access().",
                        )
                    raise NotSignedIn(
                        "Nobody is logged in, and no user name and password were given.",
                        "Log in in the add-on's settings.",
                    )
                session = self.keeper.login(self.username, self._password)
            self._session = session
            self._is_logged_out = False
        finally:
            self._pass_log()
        return True

    def get_session(self) -> Session:
        """The session, with get, post, headers and cookies as in requests. Logs in when needed
        and raises what `authenticate()` raises. After `logout()` it is the session that was logged
        out, whose requests raise `NotSignedIn`; only `authenticate()` logs in again."""
        if self._session is None:
            self.authenticate()
        assert self._session is not None  # noqa: S101 - authenticate() set it, or raised
        return self._session

    def _validate_session(self) -> bool:
        """Whether somebody is logged in, without any network."""
        return self.session_valid and self.keeper.status().state == "signed_in"

    def get_session_details(self) -> dict[str, Any]:
        """What a dialog shows about the session, without network. Holds no secret.

        Times are text, "*_utc" in UTC and "*_local" in local time, or None; "expires_in_seconds"
        is a number.
        """
        details = self.keeper.details()
        self._pass_log()
        account, expires_at = details.account, details.expires_at
        issued_at = details.renewed_at or details.signed_in_at
        left = None if expires_at is None else max(0, expires_at - int(time.time()))
        return {
            "login_email": account.email if account else self.username or "Unknown",
            "account_id": account.id if account else None,
            "authenticated": details.state == "signed_in",
            "expires_at_utc": _time_text(expires_at, utc=True),
            "expires_at_local": _time_text(expires_at, utc=False),
            "expires_in_seconds": left,
            "expires_in_human": None if left is None else _duration_text(left),
            "issued_at_utc": _time_text(issued_at, utc=True),
            "issued_at_local": _time_text(issued_at, utc=False),
            "jwt_present": details.account is not None,
            "cookie_names": list(details.cookies),
            "pending_revocations": details.pending_revocations,
            "state": details.state,
            "session_file": self.session_file,
        }

    def remote_logout(self) -> bool:
        """Logs out, here and at the server. True only when the server has proved it, or nobody
        was logged in; on False the server is told later, and this device is logged out all the
        same."""
        return self.logout().confirmed

    def logout(self) -> LogoutReport:
        """Logs out, here and at the server. The report is true as a condition: this device is
        logged out whatever it says about the server."""
        self._is_logged_out = True
        self._password = None
        try:
            return self.keeper.logout()
        finally:
            self._pass_log()

    def _restored(self) -> Session | None:
        try:
            return self.keeper.restore()
        except SessionExpired:
            if self.username and self._password:
                return None
            raise

    def _pass_log(self) -> None:
        lines = self.keeper.take_log() if self._log else []
        for level, text in lines:
            assert self._log is not None  # noqa: S101 - there are no lines without a logger
            getattr(self._log, _LEVELS[level])(text)


def _is_another_s(session: Session, username: str) -> bool:
    """True where it certainly is."""
    email = session.account.email
    return bool(email and username) and email.casefold() != username.strip().casefold()


def _time_text(at: int | None, *, utc: bool) -> str | None:
    if at is None:
        return None
    moment = time.gmtime(at) if utc else time.localtime(at)
    return time.strftime("%Y-%m-%d %H:%M:%S ", moment) + ("UTC" if utc else moment.tm_zone)


def _duration_text(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
