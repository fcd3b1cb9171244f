"""The arguments of `open()` as the dictionary that the compiled module takes.

Types are checked here; what a value means is checked once, in the core. The defaults that depend on
where we run are decided here: Kodi's directory of the calling add-on, and the two environment
variables for development, which count only where the caller said nothing.
"""

from __future__ import annotations

import os
import sys

from .errors import InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Mapping


def configuration(
    provider: str | os.PathLike[str] | Mapping[str, Any],
    *,
    data_dir: str | os.PathLike[str] | None,
    key_dir: str | os.PathLike[str] | None,
    ca_file: str | os.PathLike[str] | None,
    proxy: str | None,
    resolve: str | Iterable[str],
    log_level: str,
    renewal_margin: int,
    parameters: Mapping[str, str] | None,
    audit_url: str,
    **seconds: float,
) -> dict[str, Any]:
    """Builds the configuration. `seconds` are the deadlines by name. Raises `InvalidInput`."""
    config: dict[str, Any] = {
        "ca_file": _path(ca_file) if ca_file else os.environ.get("SESSIONKEEPER_CA_FILE", ""),
        "proxy": _text("proxy", proxy or "system"),
        "resolve": _overrides(resolve),
        "renewal_margin": _whole("renewal_margin", renewal_margin),
        "log_level": _text("log_level", log_level),
    }
    if parameters:
        config["parameters"] = parameter_values(parameters)
    if audit_url:
        config["audit_url"] = audit_url
    for name, value in seconds.items():
        config[name] = _number(name, value)
    config["provider"] = provider if isinstance(provider, dict) else _provider(provider)
    data_dir = data_dir or _kodi_data_dir()
    # Without a directory the core takes its own default, below the user's data directory.
    if data_dir:
        config["data_dir"] = _path(data_dir)
    if key_dir:
        config["key_dir"] = _path(key_dir)
    return config


def parameter_values(parameters: Mapping[str, str]) -> dict[str, str]:
    """What a provider file leaves open, as the core takes it. Raises `InvalidInput`."""
    if not hasattr(parameters, "items"):
        raise InvalidInput(
            "The parameters are not given as a dictionary.",
            'Write them as: parameters={"base": "https://…"}',
        )
    return {
        _text("A parameter's name", name): _text(f"The parameter {name}", value)
        for name, value in parameters.items()
    }


def _provider(provider: object) -> str:
    try:
        text = os.fspath(provider)  # type: ignore[call-overload]
    except TypeError:
        text = None
    if not isinstance(text, str) or not text:
        raise InvalidInput(
            "The provider is not given as text or a dictionary.",
            "Give the id of a built-in provider, the path of a .toml file, or a dictionary.",
        )
    # An id has no folder and no ending; a path must survive a change of the working directory.
    return os.path.abspath(text) if text.endswith(".toml") else text


def _kodi_data_dir() -> str:
    """The calling add-on's directory in Kodi, where xbmc is built into the interpreter."""
    if "xbmc" not in sys.modules and "xbmc" not in sys.builtin_module_names:
        return ""
    from .kodi import paths

    return paths.data_directory()


def _overrides(resolve: str | Iterable[str]) -> list[str]:
    given = [resolve] if isinstance(resolve, str) else list(resolve)
    if not given:
        given = os.environ.get("SESSIONKEEPER_RESOLVE", "").split(",")
    items = [_text("resolve", item).strip() for item in given]
    return [item for item in items if item]


def _path(path: str | os.PathLike[str]) -> str:
    text = _text("A path", os.fspath(path))
    if "\0" in text:
        raise InvalidInput("A path holds a character that cannot be used.")
    return os.path.abspath(text)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{name} must be text, not {type(value).__name__}.")
    return value


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidInput(f"{name} must be a number of seconds, not {type(value).__name__}.")
    return float(value)


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput(f"{name} must be a whole number, not {type(value).__name__}.")
    return value
