"""`open()`: from the options of a caller to the keeper of a data directory.

What an option means is checked once, in the core. Decided here is what depends on where we run:
paths, and in Kodi whose accounts they are.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, Iterable, Mapping

    from ._types import Hook, Opened, Sink, Stop
    from .keeper import Keeper


def open(  # noqa: A001, PLR0913 - the API is `sessionkeeper.open()`, its options are keywords
    provider: str | os.PathLike[str] | Mapping[str, Any] = "angel",
    *,
    parameters: Mapping[str, str] | None = None,
    private: bool = False,
    data_dir: str | os.PathLike[str] | None = None,
    key_dir: str | os.PathLike[str] | None = None,
    ca_file: str | os.PathLike[str] | None = None,
    proxy: str | None = None,
    resolve: str | Iterable[str] = (),
    timeout: float | None = None,
    connect_timeout: float | None = None,
    answer_timeout: float | None = None,
    headers: Mapping[str, str] | None = None,
    max_body: int | None = None,
    logout_deadline: float | None = None,
    lock_timeout: float = 30.0,
    renewal_margin: int | None = None,
    addon: str | None = None,
    background: bool | None = None,
    log_level: str | None = None,
    log_to_terminal: bool = False,
    audit_sink: Sink | None = None,
    after_logout: Mapping[str, Hook] | None = None,
    adopt_file: str | os.PathLike[str] | None = None,
    adopt_settings: Mapping[str, str] | Iterable[str] | None = None,
    stop: Stop | None = None,
) -> Keeper:
    """Opens the keeper of a data directory. Touches no session and no network.

    In Kodi the accounts are the viewer's: every add-on opens the data directory of
    `script.sessionkeeper` in this Kodi profile, and uses the accounts that it logged in itself and
    those that she allows it (`Keeper.request_access()`). Elsewhere they are the user's, and nobody
    is asked.

    provider: id of a service, path of a .toml file, or a dictionary of that file's form. By its id
        a service is found that is built in, that an installed add-on brings, or whose file the user
        has put where `sessionkeeper providers` finds it; and, where its file is gone, one that
        somebody is still logged in to.
    parameters: what the provider leaves open, by name; `providers()` lists the names. No secrets.
    private: in Kodi, True keeps the sessions in the calling add-on's own profile directory instead,
        where no other add-on looks.
    data_dir: defaults to the shared directory, as above.
    key_dir: where the device key lies; defaults to a directory of its own among the user's local
        data, outside Kodi's and outside `data_dir`.
    ca_file: a PEM file of certificate authorities to trust beside the built-in ones.
    proxy: "system" (the environment's), "none", or a URL.
    resolve: "HOST:PORT:ADDRESS" items: connect to ADDRESS at PORT instead of HOST, for tests.
    timeout: how many seconds a request may take in all, with the renewal that it may need; 30.
    connect_timeout: how many seconds a connection may take to stand; 10.
    answer_timeout: how many seconds until the answer begins, and between two pieces of it; 15.
    headers: go with every request of the sessions, unless it has one of that name. `Authorization`,
        `Cookie`, `Host` and what concerns the connection are the session's own, and refused.
    max_body: bytes of an answer's body; a longer one is an error, and can be streamed; 64 MiB.
    logout_deadline: how many seconds a logout tries to reach the server; 10.
    lock_timeout: how many seconds a login or a renewal waits for another one at this data
        directory, in whatever process; then it raises `StorageError`, which names the process.
    renewal_margin: renew when the access ends within this many seconds; 3600.
    addon: the id of the add-on whose private vault `data_dir` is; its events name it. In Kodi found
        out for the calling add-on; given by who looks after the vaults of others.
    background: what is due is done without being asked for, by a thread of the compiled module:
        waiting logouts are delivered and accounts renewed, from `open()` on and for as long as the
        keeper is held. It delays no call; the end of the process waits for it only while something
        is on its way, at most 5 s for a renewal and 2 s for logouts that are due. By default True,
        and False in Kodi, where the service does it.
    log_level: "error", "warning", "info" or "debug"; "info".
    log_to_terminal: writes the log to standard error as well.
    audit_sink: gets the audit trail as well, after a logout, a restore or a drain: a function that
        takes a list of `AuditEvent`. It runs on a thread of its own, is waited for at most 1 s, and
        gets again later what it raised for; after a crash it may see a line twice. By default the
        trail is in the data directory alone.
    after_logout: functions by name, called with the `LogoutReport` once this keeper has logged
        somebody out. The names are the add-on's own, where several share the accounts. Each
        is called at least once: one that did not get its turn, because the process ended or was
        stopped, does at the next `restore()`, login or `finish_logout()` of a keeper that knows its
        name, and its report then says "unconfirmed". One that was interrupted is called again, at
        the next start or after ten minutes.
        What one raises is in `LogoutReport.tasks` and in the audit trail.
    adopt_file: the file in which the caller kept a session of its own until now: a pickle of a
        cookie jar, of a dictionary or of a list of cookies, JSON, or a cookie file of Netscape's or
        LWP's form. The next `restore()` takes the session over, once the server has accepted it,
        and erases the file; it does so as well when the session is over. Where its account is
        logged in already, and the server accepts that login, it stays, the server is told to end
        the old session, and the add-on may use the account. Until then the file stays, as when the
        server cannot be reached; so does one that holds no session of the service, which the log
        names. A logout that comes first ends the session as well.
    adopt_settings: the same for settings of the calling add-on, which are emptied: a list of those
        that hold the access token, or a dictionary that says of each which token it holds
        ("access_token", "refresh_token", "id_token", "expires_at"), or else which cookie. Outside
        Kodi there are none.
    stop: asked every 100 ms while an operation runs; True cancels the operation.

    At the shared directory in Kodi, what is left out of `ca_file`, `proxy`, the deadlines but
    `lock_timeout`, `renewal_margin` and `log_level` is as the viewer has set it in Sessionkeeper's
    settings; so the connections are shared as well. Elsewhere the proxy is "system".

    Raises `VersionMismatch` or `NativeModuleMissing` before any data is touched, `InvalidInput`,
    `UnknownProvider`, `InvalidProvider` and `ParameterMissing`.
    """
    from .keeper import Keeper
    from .loading import in_kodi, native

    module = native()
    options: dict[str, Any] = {
        **_place(os.fspath(data_dir) if data_dir else None, private=private),
        "resolve": [resolve] if isinstance(resolve, str) else list(resolve),
        "lock_timeout": lock_timeout,
        "log_to_terminal": log_to_terminal,
    }
    given = {
        "proxy": proxy or None,
        "timeout": timeout,
        "connect_timeout": connect_timeout,
        "answer_timeout": answer_timeout,
        "max_body": max_body,
        "logout_deadline": logout_deadline,
        "renewal_margin": renewal_margin,
        "addon": addon,
        "background": not in_kodi() if background is None else background,
        "log_level": log_level,
    }
    options.update((name, value) for name, value in given.items() if value is not None)
    definition = _as_dict(provider)
    options["provider"] = definition or provider_name(provider)
    name = str(definition.get("id", "")) if definition else options["provider"]
    if parameters:
        options["parameters"] = _as_dict(parameters) or parameters
    if headers:
        options["headers"] = _as_dict(headers) or headers
    for key, path in (("key_dir", key_dir), ("ca_file", ca_file)):
        if path:
            options[key] = os.path.abspath(path)
    hooks = _checked_hooks(after_logout)
    if audit_sink is not None and not callable(audit_sink):
        raise _invalid("audit_sink is not a function.", "Give one that takes a list of AuditEvent.")
    handover = None
    if adopt_file or adopt_settings:
        from .handover import Handover

        settings_of = _calling_addon() if adopt_settings else None
        handover = Handover(adopt_file, adopt_settings, settings_of)
    if options["background"]:
        _keep_in_step(module)
    opened = _opened(module, options)
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


def _opened(module: ModuleType, options: dict[str, Any]) -> Opened:
    """In Kodi any add-on may bring the service: those that do not call are asked only where it was
    found nowhere else, since that takes milliseconds. Then, too, it may be known by who is logged
    in there."""
    opened: Opened = module.open(options)
    why = opened["error"]["code"] if "error" in opened else ""
    if why in _NOT_FOUND and "sources" in options:
        from .kodi import sources

        everywhere = {"sources": sources.everywhere(), "use_stored": True}
        opened = module.open({**options, **everywhere})
    return opened


_NOT_FOUND = ("unknown_provider", "invalid_provider", "parameter_missing")


_KEPT_IN_STEP: list[ModuleType] = []


def _keep_in_step(module: ModuleType) -> None:
    """A thread of the module may be at work in the moment of a fork, and the child has to do
    without the locks that it holds; or at the end of the process, which waits for a moment."""
    if module in _KEPT_IN_STEP:
        return
    _KEPT_IN_STEP.append(module)
    import atexit

    from .ending import finish

    atexit.register(finish, module)
    if hasattr(os, "register_at_fork"):

        def before() -> None:
            _load_the_rest()
            module.before_fork()

        after = module.after_fork
        os.register_at_fork(before=before, after_in_parent=after, after_in_child=after)


def _load_the_rest() -> None:
    """What calls load when they need it. A module that another thread is loading in the moment of a
    fork stays locked in the child, where nobody ends that: its first call would wait for ever.
    """
    from . import (  # noqa: F401
        browser,
        catalogue,
        device,
        errors,
        handover,
        post_logout,
        qr,
        question,
        read_only,
        reports,
        response,
        session_file,
        sinks,
        stream,
        unsupported,
    )


def provider_name(provider: Any) -> Any:
    """An id as it is; a path as one that survives a change of the working directory."""
    text = os.fspath(provider) if hasattr(provider, "__fspath__") else provider
    return os.path.abspath(text) if isinstance(text, str) and text.endswith(".toml") else text


def _as_dict(given: Any) -> dict[str, Any] | None:
    """A mapping as a dict, which alone the core takes."""
    return dict(given) if hasattr(given, "keys") else None


def _place(data_dir: str | None, *, private: bool) -> dict[str, Any]:
    """Where the data is, and what else follows from who calls. Without a directory the core takes
    its own default, below the user's data directory.
    """
    from .loading import in_kodi

    if private and data_dir:
        raise _invalid("Both private and data_dir are given.", "Give one of them.")
    directory = os.path.abspath(data_dir) if data_dir else None
    if in_kodi():
        from .kodi import opening

        return opening.options(directory, private=private)
    if private:
        raise _invalid(
            "There is no add-on here that could have a directory of its own.",
            "Give data_dir, such as data_dir=os.path.expanduser('~/.my-program').",
        )
    return {"data_dir": directory} if directory else {}


def _calling_addon() -> ModuleType | None:
    """What reads the calling add-on's settings in Kodi."""
    from .loading import in_kodi

    if not in_kodi():
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
