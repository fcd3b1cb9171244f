"""An in-memory double of the compiled module, for what is Python's alone: errors, cancelling, the
command line. It answers what a test has told it to and keeps what it was asked.

It obeys the contract of `_native.pyi`: plain data, `{"error": …}` instead of exceptions, a handle
that is gone after its result. By the schema of the boundary it refuses what the core refuses, and
answers nothing that the core would not answer. It keeps the queue of post-logout tasks and the
sinks' places in the audit trail, but knows nothing of sessions, so no test of behaviour rests on
it.
"""

from __future__ import annotations

import time
import types
from typing import Any

import sessionkeeper
from tests.python.native_contract import SCHEMA, fault, refusal

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
# What `details` tells besides, of nobody.
NO_TIMES = dict.fromkeys(("signed_in_at", "renewed_at", "renews_at", "ends_at"))
REPORT: dict[str, Any] = {
    "local": "cleared",
    "remote": "revoked",
    "status": 302,
    "cookies_cleared": ["angel_jwt_v2"],
    "duration_ms": 12,
    "expires_at": 4102444800,
    "reason": "",
    "sessions_ended": 1,
    "audit_warning": "",
    "tasks": [],
    "server_cookies_cleared": ["angel_jwt_v2"],
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
CODE: dict[str, Any] = {
    "handle": 5,
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://op.oidc-demo.example/device",
    "verification_uri_complete": "https://op.oidc-demo.example/device?user_code=WDJB-MJHT",
    "expires_at": 4102444800,
    "interval": 5,
}
# What a test need not care about.
USUAL: dict[str, Any] = {"unencrypted": {"value": {"addresses": []}}}
BROWSER: dict[str, Any] = {
    "handle": 6,
    "url": "https://op.oidc-demo.example/auth?client_id=kodi&state=the-state",
    "redirect_uri": "http://127.0.0.1:40123/callback",
    "expires_at": 4102444800,
}
ASKED: dict[str, Any] = {
    "handle": 9,
    "question": {
        "kind": "totp",
        "about": "the code from your authenticator app",
        "tries_left": 3,
        "again": False,
        "expires_at": 4102444800,
    },
}
STORED: dict[str, Any] = {
    "provider": "angel",
    "account": SIGNED_IN["account"],
    "active": True,
    "state": "signed_in",
    "expires_at": 4102444800,
    "renewable": True,
    "signed_in_at": 1700000000,
}
EVENT: dict[str, Any] = {
    "seq": 4,
    "event": "login",
    "provider": "angel",
    "account": "87735831",
    "outcome": "ok",
    "addon": "",
}
DOCTOR: dict[str, Any] = {
    "versions": {"sessionkeeper": "0.1.0", "sqlite": "3.50.2"},
    "vault": {
        "place": "/data",
        "schema": 1,
        "is_sound": True,
        "rolled_back_at": None,
    },
    "key": {
        "place": "/keys/device.key",
        "is_beside_the_vault": False,
        "is_readable_by_others": False,
    },
    "locks": {"across_processes": True},
    "file_system": {"journal_mode": "delete", "is_writable": True},
    "tls": {"bundled_roots": 140},
    "clock": {"now": 1700000000, "is_plausible": True, "is_known": False},
}
ANSWER: dict[str, Any] = {
    "status": 200,
    "reason": "OK",
    "url": "https://a/",
    "headers": [["a", "b"]],
    "body": b"",
    "stream": None,
    "is_unauthenticated": False,
    "session_over": None,
}
LINE: dict[str, Any] = {
    "seq": 1,
    "at": 1700000000,
    "event": "logout",
    "provider": "angel",
    "account": "87735831",
    "outcome": "revoked",
    "detail": "",
}
CHECK: dict[str, Any] = {"id": "mine", "name": "Mine", "problems": [], "advice": [], "summary": []}
ANGEL: dict[str, Any] = {
    "id": "angel",
    "name": "Angel Studios",
    "website": "https://www.angel.com",
    "logins": ["password"],
    "renewable": True,
    "everywhere": False,
    "leaves": "",
    "parameters": [],
    "audience": "viewer",
    "revision": 1,
    "addon": "",
    "file": "",
}
# As small as they get, and as odd as a side always is.
QR_ROWS = ["1" * 21 if row % 2 else "10" * 10 + "1" for row in range(21)]


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
        # Asked for by whoever watches, beside the verbs.
        self.looked: list[tuple[str, dict[str, Any]]] = []
        self.cancelled: list[int] = []
        self.closed: list[int] = []
        self.polls = 0
        self.longest_wait = 0
        self.log: list[list[Any]] = []
        self.happened: list[dict[str, Any]] = []
        self.answers: dict[str, Any] = {}
        # What a logout left to do, who has it, and what became of it, by id.
        self.tasks: list[dict[str, Any]] = []
        self.claimed: list[int] = []
        self.finished: dict[int, tuple[str, str]] = {}
        # The audit trail, and how far each sink has got.
        self.trail: list[dict[str, Any]] = []
        self.taken: dict[str, int] = {}
        self.refused: list[str] = []
        self.checked: list[tuple[str, dict[str, str]]] = []
        self.check_answer: dict[str, Any] = CHECK
        self.summaries: list[dict[str, Any]] = [ANGEL]
        self.unused: list[dict[str, Any]] = []
        self.longest_qr = 1000
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
        refused = fault(SCHEMA["OpenOptions"], config, "open")
        if refused:
            return error("invalid_input", refused)
        self.opened.append(config)
        return self.open_error or {"keeper": 11}

    def close(self, keeper: int) -> None:
        self.closed.append(keeper)

    def start(self, keeper: int, command: dict[str, Any]) -> dict[str, Any]:
        assert keeper == 11
        ((verb, options),) = command.items()
        refused = refusal(verb, options)
        if refused:
            return error("invalid_input", refused)
        looks = {"describe", "events", "log", "unencrypted"}
        known = self.looked if verb in looks else self.started
        known.append((verb, options))
        answer = self.answers.get(verb, USUAL.get(verb, getattr(self, f"_{verb}", None)))
        assert answer is not None, f"the test has no answer for {verb}"
        if callable(answer):
            answer = answer(options)
        if isinstance(answer, Hanging):
            operation = len(self.started)
            self._running[operation] = answer
            return {"operation": operation}
        return self._checked(verb, answer)

    def _checked(self, verb: str, answer: dict[str, Any]) -> dict[str, Any]:
        result = SCHEMA.get(f"result of {verb}")
        if result and "value" in answer:
            given = answer["value"]
            if verb in {"request", "read_stream"}:
                given = {name: item for name, item in given.items() if name != "body"}
            assert not fault(result, given), fault(result, given)
        return answer

    def poll(self, operation: int, wait_ms: int) -> dict[str, Any]:
        self.polls += 1
        self.longest_wait = max(self.longest_wait, wait_ms)
        last_word = self._running[operation].last_word
        if operation not in self.cancelled or last_word is None:
            time.sleep(min(wait_ms, 100) / 1000)
            return {"operation": operation}
        del self._running[operation]
        return dict(last_word)

    def cancel(self, operation: int) -> None:
        self.cancelled.append(operation)

    def before_fork(self) -> None:
        """It has no threads."""

    def after_fork(self) -> None:
        """Nor has its child."""

    def finish(self, wait_ms: int) -> bool:
        return False

    def providers(self, sources: list[dict[str, Any]] | None) -> dict[str, Any]:
        assert sources is None
        answer = {"providers": self.summaries, "unused": self.unused}
        return self._checked("providers", {"value": answer})

    def check_provider(
        self, definition: str | dict[str, Any], parameters: dict[str, str]
    ) -> dict[str, Any]:
        assert all(isinstance(item, str) for pair in parameters.items() for item in pair)
        self.checked.append((definition, parameters))
        return self._checked("check_provider", {"value": self.check_answer})

    def to_json(self, value: Any) -> bytes | None:
        """Leaves it to Python."""

    def from_json(self, text: bytes) -> tuple[Any] | None:
        """Leaves it to Python."""

    def qr(self, text: str) -> list[str]:
        return QR_ROWS if len(text) <= self.longest_qr else []

    # What the core does by itself, unless a test has told the answer

    def _note_handover(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"value": None}

    def _close_stream(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"value": None}

    def _log(self, _: dict[str, Any]) -> dict[str, Any]:
        taken, self.log = self.log, []
        return {"value": {"lines": taken}}

    def _events(self, options: dict[str, Any]) -> dict[str, Any]:
        newest = self.happened[-1]["seq"] if self.happened else 0
        events = [event for event in self.happened if event["seq"] > options["after"]]
        return {"value": {"events": events, "newest": newest}}

    def _describe(self, _: dict[str, Any]) -> dict[str, Any]:
        asked = self.opened[-1]["provider"] if self.opened else "angel"
        return {"value": next((one for one in self.summaries if one["id"] == asked), ANGEL)}

    def _login_start(self, _: dict[str, Any]) -> dict[str, Any]:
        return error("invalid_input", "angel logs in with a user name and a password", "")

    def _login_finish(self, _: dict[str, Any]) -> dict[str, Any]:
        return error("invalid_input", "there is no such login", "")

    def _take_tasks(self, arguments: dict[str, Any]) -> dict[str, Any]:
        kinds, hooks = arguments["kinds"], arguments["hooks"]
        found = [
            task
            for task in self.tasks
            if task["id"] not in self.claimed
            and (task["kind"] in kinds or (task["kind"] == "hook" and task["name"] in hooks))
        ]
        self.claimed += [task["id"] for task in found]
        return {"value": {"tasks": found}}

    def _finish_task(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if arguments["id"] in self.claimed and arguments["id"] not in self.finished:
            self.finished[arguments["id"]] = (arguments["outcome"], arguments["detail"])
        return {"value": None}

    def _audit_since(self, arguments: dict[str, Any]) -> dict[str, Any]:
        after = self.taken.get(arguments["sink"], 0)
        lines = [line for line in self.trail if line["seq"] > after]
        return {"value": {"events": lines[: arguments["limit"]]}}

    def _audit_refused(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.refused.append(arguments["reason"])
        return {"value": None}

    def _audit_taken(self, arguments: dict[str, Any]) -> dict[str, Any]:
        place = max(self.taken.get(arguments["sink"], 0), arguments["seq"])
        self.taken[arguments["sink"]] = place
        return {"value": None}
