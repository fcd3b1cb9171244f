"""`open()`: from the options of a caller to the keeper of a data directory.

What an option means is checked once, in the core. Decided here is what depends on where we run:
paths, and Kodi's directory of the calling add-on.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Iterable, Mapping

    from ._types import Hook, Sink, Stop
    from .keeper import Keeper


def open(  # noqa: A001, PLR0913 - the API is `sessionkeeper.open()`, its options are keywords
    provider: str | os.PathLike[str] | Mapping[str, Any] = "angel",
    *,
    parameters: Mapping[str, str] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    key_dir: str | os.PathLike[str] | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    proxy: str | None = None,
    resolve: str | Iterable[str] = (),
    timeout: float = 30.0,
    connect_timeout: float = 10.0,
    answer_timeout: float = 15.0,
    logout_deadline: float = 10.0,
    lock_timeout: float = 30.0,
    renewal_margin: int = 3600,
    log_level: str = "info",
    log_to_terminal: bool = False,
    audit_sink: Sink | None = None,
    after_logout: Mapping[str, Hook] | None = None,
    adopt_file: str | os.PathLike[str] | None = None,
    adopt_settings: Mapping[str, str] | Iterable[str] | None = None,
    stop: Stop | None = None,
) -> Keeper:
    """Opens the keeper of a data directory. Touches no session and no network.

    provider: id of a built-in service, path of a .toml file, or a dictionary of that file's form.
    parameters: what the provider leaves open, by name; `providers()` lists the names. No secrets.
    data_dir: defaults to the calling add-on's profile directory in Kodi, else to a directory of
        the user's own.
    key_dir: where the device key lies; defaults to a directory of its own among the user's local
        data, outside Kodi's and outside `data_dir`.
    ca_file: a PEM file of certificate authorities to trust beside the built-in ones.
    proxy: "system" (the default: the environment's), "none", or a URL.
    resolve: "HOST:PORT:ADDRESS" items: connect to ADDRESS at PORT instead of HOST, for tests.
    timeout, connect_timeout, answer_timeout, logout_deadline: seconds.
    lock_timeout: how many seconds a login or a renewal waits for another one at this data
        directory, in whatever process; then it raises `StorageError`, which names the process.
    renewal_margin: renew when the access ends within this many seconds.
    log_level: "error", "warning", "info" or "debug".
    log_to_terminal: writes the log to standard error as well.
    audit_sink: gets the audit trail as well, after a logout, a restore or a drain: a function that
        takes a list of `AuditEvent`. It runs on a thread of its own, is waited for at most 1 s, and
        gets again later what it raised for; after a crash it may see a line twice. By default the
        trail is in the data directory alone.
    after_logout: functions by name, called with the `LogoutReport` once the session is gone. Each
        is called at least once: one that did not get its turn, because the process ended or was
        stopped, does at the next `restore()`, login or `finish_logout()` of a keeper that knows its
        name, and its report then says "unconfirmed". One that was interrupted is called again, at
        the next start or after ten minutes.
        What one raises is in `LogoutReport.tasks` and in the audit trail.
    adopt_file: the file in which the caller kept a session of its own until now: a pickle of a
        cookie jar, of a dictionary or of a list of cookies, or JSON. The next `restore()` takes the
        session over, once the server has accepted it, and erases the file; it does so as well when
        the server says that the session is over. Where its account is logged in already, that
        login stays, and the server is told to end the old session. Until then the file stays, as
        when the server cannot be reached; so does one that holds no session of the service.
    adopt_settings: the same for settings of the calling add-on, which are emptied: a list of those
        that hold the access token, or a dictionary that says of each which token it holds
        ("access_token", "refresh_token", "id_token", "expires_at"), or else which cookie. Outside
        Kodi there are none.
    stop: asked every 100 ms while an operation runs; True cancels the operation.

    Raises `VersionMismatch` or `NativeModuleMissing` before any data is touched, `InvalidInput`,
    `UnknownProvider`, `InvalidProvider` and `ParameterMissing`.
    """
    from .keeper import Keeper
    from .loading import native

    module = native()
    options: dict[str, Any] = {
        "proxy": proxy or "system",
        "resolve": [resolve] if isinstance(resolve, str) else list(resolve),
        "timeout": timeout,
        "connect_timeout": connect_timeout,
        "answer_timeout": answer_timeout,
        "logout_deadline": logout_deadline,
        "lock_timeout": lock_timeout,
        "renewal_margin": renewal_margin,
        "log_level": log_level,
        "log_to_terminal": log_to_terminal,
    }
    definition = _as_dict(provider)
    options["provider"] = definition or provider_name(provider)
    name = str(definition.get("id", "")) if definition else options["provider"]
    if parameters:
        options["parameters"] = _as_dict(parameters) or parameters
    data_dir = data_dir or _kodi_data_dir()
    for key, path in (("data_dir", data_dir), ("key_dir", key_dir), ("ca_file", ca_file)):
        # Without a directory the core takes its own default, below the user's data directory.
        if path:
            options[key] = os.path.abspath(path)
    hooks = _checked_hooks(after_logout)
    if audit_sink is not None and not callable(audit_sink):
        raise _invalid("audit_sink is not a function.", "Give one that takes a list of AuditEvent.")
    handover = None
    if adopt_file or adopt_settings:
        from .handover import Handover

        addon = _calling_addon() if adopt_settings else None
        handover = Handover(adopt_file, adopt_settings, addon)
    opened = module.open(options)
    if "error" in opened:
        from .errors import error_from

        raise error_from(opened["error"])
    return Keeper(
        module,
        opened["keeper"],
        name,
        options.get("data_dir"),
        stop,
        hooks=hooks,
        audit_sink=audit_sink,
        handover=handover,
    )


def provider_name(provider: Any) -> Any:
    """An id as it is; a path as one that survives a change of the working directory."""
    text = os.fspath(provider) if hasattr(provider, "__fspath__") else provider
    return os.path.abspath(text) if isinstance(text, str) and text.endswith(".toml") else text


def _as_dict(given: Any) -> dict[str, Any] | None:
    """A mapping as a dict, which alone the core takes."""
    return dict(given) if hasattr(given, "keys") else None


def _in_kodi() -> bool:
    """True where xbmc is built into the interpreter."""
    return "xbmc" in sys.modules or "xbmc" in sys.builtin_module_names


def _kodi_data_dir() -> str | None:
    """The calling add-on's directory in Kodi."""
    if not _in_kodi():
        return None
    from .kodi import paths

    return paths.data_directory()


def _calling_addon() -> ModuleType | None:
    """What reads the calling add-on's settings in Kodi."""
    if not _in_kodi():
        return None
    from .kodi import calling_addon

    return calling_addon


def _checked_hooks(given: Mapping[Any, Any] | None) -> dict[str, Hook]:
    hooks = dict(given or {})
    for name, hook in hooks.items():
        if not (isinstance(name, str) and name and name.isprintable() and callable(hook)):
            raise _invalid(
                "after_logout is not a dictionary of names and functions.",
                'Write it as: after_logout={"empty_cache": empty_cache}',
            )
    return hooks


def _invalid(message: str, hint: str) -> Exception:
    from .errors import InvalidInput

    return InvalidInput(message, hint)
