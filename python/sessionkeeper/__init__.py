"""Sessionkeeper signs in to a streaming service, stays signed in, and signs out on the server too.

Start with `open()`, which gives a `Keeper`; `login()` and `restore()` give a `Session`; `logout()`
gives a `LogoutReport`. Every failure is a subclass of `Error` with a stable code, a message that is
safe to show and a hint for the user. Importing this package loads neither the compiled module nor
anything of Kodi: `open()` does, when it is called.
"""

from __future__ import annotations

from .angel import AngelStudioSession
from .errors import (
    Cancelled,
    CredentialsRefused,
    Error,
    HostNotAllowed,
    InternalError,
    InvalidInput,
    InvalidProvider,
    LogoutIncomplete,
    NativeModuleMissing,
    NetworkError,
    NotSignedIn,
    SessionExpired,
    StorageError,
    Timeout,
    TlsFailure,
    UnexpectedAnswer,
    UnknownProvider,
    VersionMismatch,
)
from .keeper import Keeper, open, providers  # noqa: A004 - the API is `sessionkeeper.open()`
from .records import Account, AuditEvent, DrainReport, LogoutReport, OutboxEntry, Status
from .response import Response
from .session import Session
from .version import __version__

__all__ = [
    "Account",
    "AngelStudioSession",
    "AuditEvent",
    "Cancelled",
    "CredentialsRefused",
    "DrainReport",
    "Error",
    "HostNotAllowed",
    "InternalError",
    "InvalidInput",
    "InvalidProvider",
    "Keeper",
    "LogoutIncomplete",
    "LogoutReport",
    "NativeModuleMissing",
    "NetworkError",
    "NotSignedIn",
    "OutboxEntry",
    "Response",
    "Session",
    "SessionExpired",
    "Status",
    "StorageError",
    "Timeout",
    "TlsFailure",
    "UnexpectedAnswer",
    "UnknownProvider",
    "VersionMismatch",
    "__version__",
    "open",
    "providers",
]
