"""Sessionkeeper logs in to a streaming service, stays logged in, and logs out on the server too.

Start with `open()`, which gives a `Keeper`; `login()` and `restore()` give a `Session`;
`start_device_login()` gives a `DeviceLogin`, `start_browser_login()` a `BrowserLogin`, and
`logout()` a `LogoutReport`. Every failure is a
subclass of `Error` with a stable code, a message that is safe to show and a hint for the user.
Importing this package loads neither the compiled module nor anything of Kodi: `open()` does, when
it is called. The rest is loaded when it is first asked for.
"""

from __future__ import annotations

# Cargo.toml is the source; a test compares the two, and `loading` refuses another's module.
__version__ = "0.1.0"

from .open import open  # noqa: A004 - the API is `sessionkeeper.open()`

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .angel import AngelStudioSession as AngelStudioSession
    from .browser import BrowserLogin as BrowserLogin
    from .catalogue import (
        Parameter as Parameter,
    )
    from .catalogue import (
        Problem as Problem,
    )
    from .catalogue import (
        Provider as Provider,
    )
    from .catalogue import (
        ProviderCheck as ProviderCheck,
    )
    from .catalogue import (
        check_provider as check_provider,
    )
    from .catalogue import (
        providers as providers,
    )
    from .device import DeviceLogin as DeviceLogin
    from .errors import (
        AnswerNeeded as AnswerNeeded,
    )
    from .errors import (
        AnswerRefused as AnswerRefused,
    )
    from .errors import (
        Cancelled as Cancelled,
    )
    from .errors import (
        CodeExpired as CodeExpired,
    )
    from .errors import (
        CredentialsRefused as CredentialsRefused,
    )
    from .errors import (
        EncryptionMissing as EncryptionMissing,
    )
    from .errors import (
        Error as Error,
    )
    from .errors import (
        HostNotAllowed as HostNotAllowed,
    )
    from .errors import (
        HttpError as HttpError,
    )
    from .errors import (
        InternalError as InternalError,
    )
    from .errors import (
        InvalidInput as InvalidInput,
    )
    from .errors import (
        InvalidProvider as InvalidProvider,
    )
    from .errors import (
        LoginDenied as LoginDenied,
    )
    from .errors import (
        LogoutIncomplete as LogoutIncomplete,
    )
    from .errors import (
        NativeModuleMissing as NativeModuleMissing,
    )
    from .errors import (
        NetworkError as NetworkError,
    )
    from .errors import (
        NotSignedIn as NotSignedIn,
    )
    from .errors import (
        ParameterMissing as ParameterMissing,
    )
    from .errors import (
        PermissionNeeded as PermissionNeeded,
    )
    from .errors import (
        SessionExpired as SessionExpired,
    )
    from .errors import (
        StorageError as StorageError,
    )
    from .errors import (
        Timeout as Timeout,
    )
    from .errors import (
        TlsFailure as TlsFailure,
    )
    from .errors import (
        UnexpectedAnswer as UnexpectedAnswer,
    )
    from .errors import (
        UnknownAccount as UnknownAccount,
    )
    from .errors import (
        UnknownProvider as UnknownProvider,
    )
    from .errors import (
        VersionMismatch as VersionMismatch,
    )
    from .keeper import Keeper as Keeper
    from .loading import available as available
    from .records import (
        Account as Account,
    )
    from .records import (
        Question as Question,
    )
    from .records import (
        Status as Status,
    )
    from .reports import (
        AuditEvent as AuditEvent,
    )
    from .reports import (
        ConfirmedLogout as ConfirmedLogout,
    )
    from .reports import (
        Details as Details,
    )
    from .reports import (
        Doctor as Doctor,
    )
    from .reports import (
        DrainReport as DrainReport,
    )
    from .reports import (
        Event as Event,
    )
    from .reports import (
        Forgotten as Forgotten,
    )
    from .reports import (
        LogoutAll as LogoutAll,
    )
    from .reports import (
        LogoutAllEntry as LogoutAllEntry,
    )
    from .reports import (
        LogoutReport as LogoutReport,
    )
    from .reports import (
        OutboxEntry as OutboxEntry,
    )
    from .reports import (
        Permission as Permission,
    )
    from .reports import (
        RegisteredVault as RegisteredVault,
    )
    from .reports import (
        RenewalLine as RenewalLine,
    )
    from .reports import (
        Schedule as Schedule,
    )
    from .reports import (
        StoredAccount as StoredAccount,
    )
    from .reports import (
        TaskResult as TaskResult,
    )
    from .reports import (
        UpkeepReport as UpkeepReport,
    )
    from .reports import (
        Vaults as Vaults,
    )
    from .response import Response as Response
    from .session import Session as Session

# Where each public name is, so that it is loaded when it is first asked for.
_HOMES = {
    "angel": "AngelStudioSession",
    "browser": "BrowserLogin",
    "catalogue": "Parameter Problem Provider ProviderCheck check_provider providers",
    "device": "DeviceLogin",
    "errors": (
        "AnswerNeeded AnswerRefused Cancelled CodeExpired CredentialsRefused EncryptionMissing "
        "Error HostNotAllowed HttpError InternalError InvalidInput InvalidProvider LoginDenied "
        "LogoutIncomplete NativeModuleMissing NetworkError NotSignedIn ParameterMissing "
        "PermissionNeeded SessionExpired StorageError Timeout TlsFailure UnexpectedAnswer "
        "UnknownAccount UnknownProvider VersionMismatch"
    ),
    "keeper": "Keeper",
    "loading": "available",
    "records": "Account Question Status",
    "reports": (
        "AuditEvent ConfirmedLogout Details Doctor DrainReport Event Forgotten LogoutAll "
        "LogoutAllEntry LogoutReport OutboxEntry Permission RegisteredVault RenewalLine Schedule "
        "StoredAccount TaskResult UpkeepReport Vaults"
    ),
    "response": "Response",
    "session": "Session",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = ["__version__", "open", *_HOME_OF]  # noqa: PLE0604


def __getattr__(name: str) -> object:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(__import__(f"{__name__}.{home}", fromlist=[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
