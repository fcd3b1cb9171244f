"""An in-memory double of the compiled module, for what is Python's alone: errors, cancelling, the
command line. It answers what a test has told it to and keeps what it was asked.

It obeys the contract of `_native.pyi`: plain data, `{"error": …}` instead of exceptions, a handle
that is gone after its result. It knows nothing of sessions, so no test of behaviour rests on it.
"""

from __future__ import annotations

import time
import types
from typing import Any

import sessionkeeper

SIGNED_IN: dict[str, Any] = {
    "state": "signed_in",
    "provider": "angel",
    "account": {"id": "87735831", "name": "Viewer", "email": "viewer@example.com"},
    "expires_at": 4102444800,
    "renewable": True,
    "cookies": ["angel_jwt_v2", "_ellis_island_session"],
    "pending_revocations": 0,
}
SIGNED_OUT: dict[str, Any] = {
    "state": "signed_out",
    "provider": "angel",
    "account": None,
    "expires_at": None,
    "renewable": False,
    "cookies": [],
    "pending_revocations": 0,
}
REPORT: dict[str, Any] = {
    "local": "cleared",
    "remote": "revoked",
    "status": 302,
    "cookies_cleared": ["angel_jwt_v2"],
    "duration_ms": 12,
    "expires_at": 4102444800,
    "reason": "",
}
ENTRY: dict[str, Any] = {
    "id": 7,
    "provider": "angel",
    "account": "87735831",
    "created_at": 1700000000,
    "expires_at": 4102444800,
    "attempts": 1,
    "next_attempt_at": 1700000060,
    "last_outcome": "deferred",
}


def error(code: str, message: str = "what went wrong", hint: str = "what to do") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "hint": hint}}


class Hanging:
    """An operation that runs until it is cancelled, and then ends with `last_word` or never."""

    def __init__(self, last_word: dict[str, Any] | None = None) -> None:
        self.last_word = last_word


class NativeDouble(types.ModuleType):
    def __init__(self) -> None:
        super().__init__("native_double")
        self.reported_version = sessionkeeper.__version__
        self.opened: list[dict[str, Any]] = []
        self.open_error: dict[str, Any] | None = None
        self.started: list[tuple[str, dict[str, Any]]] = []
        self.cancelled: list[int] = []
        self.polls = 0
        self.longest_wait = 0
        self.log: list[list[Any]] = []
        self.happened: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}
        self._running: dict[int, Any] = {}

    def answer(self, verb: str, value: Any) -> None:
        """From now on `verb` gives this value, this error, or hangs."""
        finished = isinstance(value, Hanging) or (isinstance(value, dict) and "error" in value)
        self.answers[verb] = value if finished else {"value": value}

    def arguments(self, verb: str) -> dict[str, Any]:
        """What the last operation of this verb was given."""
        return [given for asked, given in self.started if asked == verb][-1]

    # The functions of the module

    def version(self) -> str:
        return self.reported_version

    def open(self, config: dict[str, Any]) -> dict[str, Any]:
        self.opened.append(config)
        return self.open_error or {"keeper": 11}

    def start(self, keeper: int, verb: str, arguments: dict[str, Any]) -> dict[str, Any]:
        assert keeper == 11
        self.started.append((verb, arguments))
        answer = self.answers.get(verb)
        if answer is None:
            return error("internal_error", f"the test has no answer for {verb}")
        if callable(answer):
            answer = answer(arguments)
        operation = len(self.started)
        self._running[operation] = answer
        return {"operation": operation}

    def poll(self, operation: int, wait_ms: int) -> dict[str, Any] | None:
        self.polls += 1
        self.longest_wait = max(self.longest_wait, wait_ms)
        answer = self._running[operation]
        if isinstance(answer, Hanging):
            if operation not in self.cancelled or answer.last_word is None:
                time.sleep(min(wait_ms, 100) / 1000)
                return None
            answer = answer.last_word
        del self._running[operation]
        return dict(answer)

    def cancel(self, operation: int) -> None:
        self.cancelled.append(operation)

    def take_log(self, keeper: int) -> list[list[Any]]:
        taken, self.log = self.log, []
        return taken

    def take_events(self, keeper: int, after: int) -> list[dict[str, Any]]:
        newest = self.happened[-1]["seq"] if self.happened else 0
        if after == -1:
            return [{"seq": newest, "event": ""}]
        return [event for event in self.happened if event["seq"] > after]

    def providers(self) -> list[dict[str, Any]]:
        return [
            {
                "id": "angel",
                "name": "Angel Studios",
                "website": "https://www.angel.com",
                "login": "password",
                "renewable": True,
                "everywhere": False,
            }
        ]
