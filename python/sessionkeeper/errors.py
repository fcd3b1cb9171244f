"""The tree of errors: one class for each stable code of the compiled module. Where Python has an
error of the same kind, the class is one of those as well.

The code is also the key of the localised text and of the command line's exit status, so it never
changes. No message and no hint holds a secret. Nothing here is raised with a cause or a context
that could hold one: an exception that saw a secret is left before ours is made.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._types import ErrorDict


class Error(Exception):
    """The base of all errors of Sessionkeeper.

    `code` is stable and meant for programs; `message` says what is wrong; `hint` says what the
    user can do about it and is empty where the message says it all.
    """

    code: str = "internal_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_dict(self) -> ErrorDict:
        """The error as the command line's `--json` prints it."""
        return {"code": self.code, "message": self.message, "hint": self.hint}


class InvalidInput(Error, ValueError):
    """An argument is unusable: an empty user name, a header with a line break."""

    code = "invalid_input"


class UnknownProvider(Error):
    """There is no provider of that name."""

    code = "unknown_provider"


class InvalidProvider(Error):
    """A provider definition that cannot be used; the message names the key."""

    code = "invalid_provider"


class ParameterMissing(Error):
    """The provider has a parameter without a default that was not given; the message names it."""

    code = "parameter_missing"


class NotSignedIn(Error):
    """The operation needs a session, and nobody is logged in."""

    code = "not_signed_in"


class PermissionNeeded(Error):
    """Somebody is logged in, and the viewer has not allowed this add-on to use the account:
    `Keeper.request_access()` asks her."""

    code = "needs_permission"


class EncryptionMissing(Error):
    """The service is reached without encryption, in the viewer's own network, and nobody has agreed
    to that: see `Keeper.unencrypted()`."""

    code = "encryption_missing"


class CredentialsRefused(Error):
    """The server refused the user name or the password."""

    code = "credentials_refused"


class AnswerRefused(CredentialsRefused):
    """The server refused what the user answered, as often as it could be answered."""

    code = "answer_refused"


class AnswerNeeded(Error):
    """The service asks for more than a name and a password, such as a code, and nobody was there to
    answer: give `answer` to `Keeper.login()`."""

    code = "answer_needed"


class LoginDenied(Error):
    """The login was refused on the other device, or by the service, after the code was shown."""

    code = "login_denied"


class CodeExpired(Error):
    """Nobody entered the code in time, or answered. It can be tried anew."""

    code = "code_expired"


class UnknownAccount(Error):
    """No account of that id is stored at this provider."""

    code = "unknown_account"


class SessionExpired(Error):
    """The session is over at the server; only a new login helps.

    `response` is the `Response` that showed it, where a request of the caller's own got
    one; else None.
    """

    code = "session_expired"
    response: Any = None


class UnexpectedAnswer(Error):
    """The server answered, but not as expected."""

    code = "unexpected_answer"


class HttpError(UnexpectedAnswer):
    """The status is 400 or more, and `Response.raise_for_status()` was asked. Of the same code.

    `response` is the `Response`, and `status_code` its status.
    """

    response: Any = None

    @property
    def status_code(self) -> int:
        """The status of the response."""
        status: int = self.response.status_code
        return status


class NetworkError(Error, ConnectionError):
    """The server could not be reached, or the connection broke. Worth another try."""

    code = "network_error"


class TlsFailure(NetworkError):
    """The connection could not be made secure: certificate, host name, clock."""

    code = "tls_failure"


class Timeout(NetworkError, TimeoutError):
    """The server did not answer in time."""

    code = "timeout"


class HostNotAllowed(Error):
    """A request or a redirect would have left the provider's hosts."""

    code = "host_not_allowed"


class Cancelled(Error):
    """The caller stopped the operation, or Kodi is shutting down."""

    code = "cancelled"


class StorageError(Error):
    """The data directory, the vault or the device key cannot be read or written."""

    code = "storage_error"


class LogoutIncomplete(Error):
    """The disk refused to forget the session, and the server was not reached either."""

    code = "logout_incomplete"


class VersionMismatch(Error):
    """The compiled module and the Python part are of different versions."""

    code = "version_mismatch"


class NativeModuleMissing(Error):
    """There is no compiled module for this machine. Comes from the Python part only."""

    code = "native_module_missing"


class InternalError(Error):
    """A bug in Sessionkeeper."""

    code = "internal_error"


_BY_CODE = {
    kind.code: kind
    for kind in globals().copy().values()
    if isinstance(kind, type)
    and issubclass(kind, Error)
    and kind is not Error
    # One without a code of its own is made by the Python part alone.
    and "code" in vars(kind)
}


def error_from(shape: ErrorDict) -> Error:
    """Makes the exception for an error of the compiled module. An unknown code is kept as it is."""
    kind = _BY_CODE.get(shape["code"])
    if kind is not None:
        return kind(shape["message"], shape["hint"])
    error = Error(shape["message"], shape["hint"])
    error.code = shape["code"]
    return error


def safe_text(error: BaseException) -> str:
    """What an exception of somebody else's code may say of itself in a report or the audit trail:
    its class and its place. Its message could hold a secret; that of our own errors does not."""
    if isinstance(error, Error):
        return error.message
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return type(error).__name__
    file = place.tb_frame.f_code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{type(error).__name__} ({file}, line {place.tb_lineno})"
