"""What the compiled module takes: the settings of `open`, the verbs and their arguments.

The double refuses the rest, as the core does; test_operation.py asks the real module about the
same verbs.
"""

from __future__ import annotations

from typing import Any

import pytest

from sessionkeeper import loading, operation
from sessionkeeper.errors import Error

SETTINGS = frozenset(
    (
        "provider",
        "parameters",
        "data_dir",
        "key_dir",
        "ca_file",
        "proxy",
        "resolve",
        "renewal_margin",
        "log_level",
        "audit_url",
        "timeout",
        "connect_timeout",
        "answer_timeout",
        "logout_deadline",
    )
)
_NOTHING: dict[str, tuple[type, ...]] = {}
_NONE = type(None)
# By verb: its arguments, with a "!" for those that are needed.
VERBS: dict[str, dict[str, tuple[type, ...]]] = {
    **dict.fromkeys(("status", "details", "renew", "outbox", "next_work"), _NOTHING),
    **dict.fromkeys(("forget", "doctor", "login_start"), _NOTHING),
    "session": {"account": (str, _NONE)},
    "restore": {"offline": (bool,)},
    "login": {"username!": (str,), "password!": (bytes,)},
    "login_finish": {"handle!": (int,)},
    "request": {
        "account": (str, _NONE),
        "method!": (str,),
        "url!": (str,),
        "headers": (list,),
        "body": (bytes, _NONE),
    },
    "logout": {
        "local_only": (bool,),
        "everywhere": (bool,),
        "deadline": (int, float, _NONE),
        "account": (str, _NONE),
        "hooks": (list,),
    },
    "accounts": {"all": (bool,)},
    "switch": {"account!": (str,)},
    "drain": {"due_only": (bool,)},
    "audit": {"limit": (int,)},
    "audit_since": {"sink!": (str,), "limit": (int,)},
    "audit_taken": {"sink!": (str,), "seq!": (int,)},
    "audit_refused": {"reason!": (str,)},
    "take_tasks": {"kinds": (list,), "hooks": (list,)},
    "finish_task": {"id!": (int,), "outcome!": (str,), "detail": (str,)},
}


def is_plain(value: Any) -> bool:
    """Whether it can cross the boundary."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(is_plain(item) for item in value)
    return value is None or type(value) in {str, bytes, int, float, bool}


def refusal(verb: str, arguments: dict[str, Any]) -> str:
    """Why the core does not take it, "" where it does."""
    if verb not in VERBS:
        return f"there is no verb '{verb}'"
    types = {name.rstrip("!"): kinds for name, kinds in VERBS[verb].items()}
    for name, value in arguments.items():
        if name not in types or type(value) not in types[name]:
            return f"'{name}' is not taken by {verb}"
    missing = {name[:-1] for name in VERBS[verb] if name.endswith("!")} - set(arguments)
    return f"{missing} is missing" if missing else ""


def needs(*names: str) -> pytest.MarkDecorator:
    """For a test of the real module: it waits until the module has these verbs and functions."""
    missing = [name for name in names if not _has(name)]
    return pytest.mark.skipif(bool(missing), reason=f"not in the compiled module: {missing}")


def _has(name: str) -> bool:
    try:
        native = loading.native()
        if name not in VERBS:
            return hasattr(native, name)
        opened = native.open({"provider": "angel", "data_dir": "/nonexistent"})
        operation.run(native, opened["keeper"], name, {"frobnicate": 1})
    except Error as error:
        return "no verb" not in error.message
    return True
