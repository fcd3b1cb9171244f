"""Sessionkeeper signs in to a streaming service, stays signed in, and signs out on the server too.

Start with `open()`, which gives a `Keeper`; `login()` and `restore()` give a `Session`;
`start_device_login()` gives a `DeviceLogin`, and `logout()` a `LogoutReport`. Every failure is a
subclass of `Error` with a stable code, a message that is safe to show and a hint for the user.
Importing this package loads neither the compiled module nor anything of Kodi: `open()` does, when
it is called.
"""

from __future__ import annotations

from .accounts import StoredAccount
from .angel import AngelStudioSession
from .catalogue import Problem, ProviderCheck, check_provider, providers
from .device import DeviceLogin
from .errors import (
    Cancelled,
    CodeExpired,
    CredentialsRefused,
    Error,
    HostNotAllowed,
    InternalError,
    InvalidInput,
    InvalidProvider,
    LoginDenied,
    LogoutIncomplete,
    NativeModuleMissing,
    NetworkError,
    NotSignedIn,
    ParameterMissing,
    SessionExpired,
    StorageError,
    Timeout,
    TlsFailure,
    UnexpectedAnswer,
    UnknownAccount,
    UnknownProvider,
    VersionMismatch,
)
from .keeper import Keeper
from .opening import open  # noqa: A004 - the API is `sessionkeeper.open()`
from .records import (
    Account,
    AuditEvent,
    DrainReport,
    LogoutReport,
    OutboxEntry,
    Status,
    TaskResult,
)
from .response import Response
from .session import Session
from .version import __version__

__all__ = [
    "Account",
    "AngelStudioSession",
    "AuditEvent",
    "Cancelled",
    "CodeExpired",
    "CredentialsRefused",
    "DeviceLogin",
    "DrainReport",
    "Error",
    "HostNotAllowed",
    "InternalError",
    "InvalidInput",
    "InvalidProvider",
    "Keeper",
    "LoginDenied",
    "LogoutIncomplete",
    "LogoutReport",
    "NativeModuleMissing",
    "NetworkError",
    "NotSignedIn",
    "OutboxEntry",
    "ParameterMissing",
    "Problem",
    "ProviderCheck",
    "Response",
    "Session",
    "SessionExpired",
    "Status",
    "StorageError",
    "StoredAccount",
    "TaskResult",
    "Timeout",
    "TlsFailure",
    "UnexpectedAnswer",
    "UnknownAccount",
    "UnknownProvider",
    "VersionMismatch",
    "__version__",
    "check_provider",
    "open",
    "providers",
]
