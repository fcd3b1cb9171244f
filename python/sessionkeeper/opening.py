"""`open()`: from the options of a caller to the keeper of a data directory."""

from __future__ import annotations

from . import loading
from .afterwards import hooks_from
from .configuration import configuration
from .errors import error_from
from .keeper import Keeper
from .sinks import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any, Iterable, Mapping

    from .afterwards import Hook
    from .operation import Stop
    from .shapes import Opened
    from .sinks import Sink


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
    renewal_margin: int = 3600,
    log_level: str = "info",
    audit_sink: Sink | str | None = None,
    after_logout: Mapping[str, Hook] | None = None,
    stop: Stop | None = None,
) -> Keeper:
    """Gives the keeper of a data directory. Touches no session and no network.

    provider: id of a built-in service, path of a .toml file, or a dictionary of that file's form.
    parameters: what the provider leaves open, by name; `providers()` tells the names. No secrets.
    data_dir: defaults to the calling add-on's profile directory in Kodi, else to a directory of
        the user's own.
    key_dir: where the device key lies; defaults to the user's data directory, outside Kodi's.
    ca_file: a PEM file of certificate authorities to trust beside the built-in ones.
    proxy: "system" (the default: the environment's), "none", or a URL.
    resolve: "HOST:PORT:ADDRESS" items: connect to ADDRESS at PORT instead of HOST, for tests.
    timeout, connect_timeout, answer_timeout, logout_deadline: seconds.
    renewal_margin: renew when the access ends within so many seconds.
    log_level: "error", "warning", "info" or "debug".
    audit_sink: gets the audit trail as well, after a logout, a restore or a drain: an https URL, or
        a function that takes a list of `AuditEvent`. The function runs on a thread of its own, is
        waited for at most 1 s, and gets again later what it raised for; after a crash it may see a
        line twice. By default the trail is in the data directory alone.
    after_logout: functions by name, called with the `LogoutReport` once the session is gone, each
        alone and never twice for one logout. What one raises is in `LogoutReport.tasks` and in the
        audit trail. One that did not get its turn, because the process ended or was stopped, does
        at the next `restore()`, login or `finish_logout()` of a keeper that knows its name; its
        report then says "unconfirmed".
    stop: asked every 100 ms while an operation runs; True cancels the operation.

    Raises `VersionMismatch` or `NativeModuleMissing` before any data is touched, `InvalidInput`,
    `UnknownProvider`, `InvalidProvider` and `ParameterMissing`.
    """
    native = loading.native()
    hooks = hooks_from(after_logout)
    sink, audit_url = split(audit_sink)
    config = configuration(
        provider,
        parameters=parameters,
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
        audit_url=audit_url,
    )
    opened: Opened = native.open(config)
    if "error" in opened:
        raise error_from(opened["error"])
    named = provider.get("id", "") if isinstance(provider, dict) else config["provider"]
    place = config.get("data_dir")
    return Keeper(native, opened["keeper"], str(named), place, stop, hooks=hooks, audit_sink=sink)
