"""Neither side of the boundary drifts from the other: the Python side's verbs and records are those
of the schema that the Rust types generate, and the module refuses what the schema refuses.
"""

from __future__ import annotations

import fcntl
import inspect
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

import sessionkeeper
from sessionkeeper import catalogue, loading, records, reports
from tests.python.native_contract import SCHEMA, VERBS, fault, resolved
from tests.python.native_double import (
    ANGEL,
    ANSWER,
    ASKED,
    BROWSER,
    CODE,
    DOCTOR,
    LINE,
    NO_TIMES,
    REPORT,
    SIGNED_IN,
    NativeDouble,
)

# The Rust type of each record, where the names differ.
RUST_NAMES = {
    "Event": "Notification",
    "Permission": "PermissionLine",
    "OutboxEntry": "EntryLine",
    "Provider": "ProviderSummary",
    "StoredAccount": "AccountLine",
    "TaskResult": "TaskLine",
}
# Results that cross as they are: lists of records, log lines, secrets, the answer to a request (and
# the error beside it), and what is left to do.
NO_RECORDS = {
    *("Access", "Accounts", "AuditTrail", "Confirmations", "Notifications", "Outbox"),
    *(
        "BegunInBrowser",
        "DeviceCode",
        "Error",
        "ExportedCredentials",
        "HandedTask",
        "LogLines",
        "LoginTurn",
        "Permissions",
    ),
    *("Received", "ReceivedPiece", "TakenOver", "Tasks"),
}
# What `open` takes and keeps to itself.
OF_PYTHON = {"adopt_file", "adopt_settings", "after_logout", "audit_sink", "private", "stop"}
# What it finds out about the calling add-on and its provider files; see test_keeper.py.
FROM_KODI = {"caller", "register_in", "sources", "use_stored"}
GIVEN = {
    *("Bytes", "GivenCookie", "HandedOver", "LogoutAllOptions", "LogoutOptions", "OpenOptions"),
    "Outgoing",
    "FileSource",
}
WORDS = {
    *("Audience", "Conclusion", "Event", "Kind", "Local", "LogLevel", "LoginKind", "Outcome"),
    *("QuestionKind", "Redirect", "Replaces", "State", "TakeOver", "TaskOutcome"),
}
CONCLUSIONS = ("proved", "later", "by_itself", "unknown", "failed")
EXAMPLES: dict[str, Any] = {
    "boolean": True,
    "string": "x",
    "integer": 1,
    "array": [],
    "object": {},
}


def all_records() -> list[type[records.Record]]:
    modules = (records, reports, catalogue)
    found = {kind for module in modules for kind in vars(module).values() if inspect.isclass(kind)}
    of_ours = (kind for kind in found if issubclass(kind, records.Record) and kind._fields)
    return sorted(of_ours, key=lambda kind: kind.__name__)


def test_there_is_a_record_for_each_result() -> None:
    named = {RUST_NAMES.get(kind.__name__, kind.__name__) for kind in all_records()}
    types = {name for name in SCHEMA if " " not in name}
    assert named == types - NO_RECORDS - GIVEN - WORDS


@pytest.mark.parametrize("kind", all_records(), ids=lambda kind: kind.__name__)
def test_the_fields_of_a_record_are_those_of_the_type(kind: type[records.Record]) -> None:
    schema = SCHEMA[RUST_NAMES.get(kind.__name__, kind.__name__)]
    assert set(kind._fields) == set(schema["properties"]) == set(schema["required"])
    written = {name: note for one in kind.__mro__ for name, note in _annotations(one)}
    for name, field in schema["properties"].items():
        assert written[name] == _annotation(field), name


def _annotations(kind: type) -> Iterator[tuple[str, str]]:
    own: dict[str, str] = kind.__dict__.get("__annotations__", {})  # noqa: RUF063
    return ((name, note) for name, note in own.items() if not name.startswith("_"))


def _annotation(field: dict[str, Any]) -> str:
    """How Python writes the type of a field."""
    if "anyOf" in field:
        return f"{_annotation(field['anyOf'][0])} | None"
    if "$ref" in field and "properties" in resolved(field):
        name = field["$ref"].rpartition("/")[2]
        return next((python for python, rust in RUST_NAMES.items() if rust == name), name)
    field = resolved(field)
    if "oneOf" in field:  # words
        return "str"
    kinds = [field["type"]] if isinstance(field["type"], str) else field["type"]
    if kinds[0] == "array":
        return f"tuple[{_annotation(field['items'])}, ...]"
    words = {
        "string": "str",
        "integer": "int",
        "boolean": "bool",
        "number": "float",
        "null": "None",
    }
    return " | ".join(words[kind] for kind in kinds)


def test_the_options_of_open_are_those_of_the_type() -> None:
    options = SCHEMA["OpenOptions"]["properties"]
    ours = inspect.signature(sessionkeeper.open).parameters
    assert set(options) - FROM_KODI == set(ours) - OF_PYTHON
    for name, option in options.items():
        if name in FROM_KODI:
            continue
        default = option.get("default")
        if isinstance(default, dict) and default:
            default = float(default["secs"])
        if default:
            assert ours[name].default in {default, None}, name


def test_every_verb_is_asked_for_as_the_schema_has_it(native: NativeDouble, tmp_path: Path) -> None:
    """The double looks at each call."""

    def hook(_: object) -> None:
        """Is called."""

    zero = dict.fromkeys(SCHEMA["DrainReport"]["required"], 0)
    answers = {
        **dict.fromkeys(("status", "restore", "adopt", "login_answer", "login_finish"), SIGNED_IN),
        **dict.fromkeys(("browser_login_finish", "renew", "switch"), SIGNED_IN),
        "login": ASKED,
        "browser_login_start": BROWSER,
        "take_over": {"how": "no_session"},
        "login_start": CODE,
        "describe": ANGEL,
        "access": {"addon": None, "service": "Angel Studios", "account": None, "answer": True},
        "permissions": {"permissions": []},
        "set_permission": None,
        "unencrypted": {"addresses": []},
        "set_unencrypted": None,
        "accounts": {"accounts": []},
        "outbox": {"entries": []},
        "drain": {**zero, "entries": []},
        "audit": {"events": []},
        "take_confirmations": {"logouts": []},
        "details": {**SIGNED_IN, **NO_TIMES},
        "schedule": {"renew_at": None, "drain_at": 1},
        "logout_all": {"entries": [], **dict.fromkeys(CONCLUSIONS, 0), "pending_revocations": 0},
        "vaults": {"vaults": [], "away": [], "vanished": []},
        "serve": None,
        "upkeep": {"renewals": [], "drained": {**zero, "entries": []}, "next_at": None},
        "forget": {"forgotten": True, "sessions": 1, "pending_revocations": 0},
        "doctor": DOCTOR,
        "logout": REPORT,
        "request": {**ANSWER, "stream": 1},
        "read_stream": {"body": b"x", "is_last": False},
        "session": {"headers": {"a": "b"}, "cookies": {}, "token": ""},
    }
    for verb, answer in answers.items():
        native.answer(verb, answer)
    native.trail = [LINE]
    native.tasks = [{"id": 1, "kind": "hook", "name": "hook", "provider": "angel", "account": "1"}]

    def sink(_: object) -> None:
        if native.taken:
            raise ValueError
        native.taken["nobody"] = 1

    file = tmp_path / "session.json"
    file.write_text('{"access_token": "a"}')
    keeper = sessionkeeper.open(after_logout={"hook": hook}, audit_sink=sink, adopt_file=file)
    session = keeper.restore()
    assert session is not None
    answer = session.get("https://a/", stream=True)
    assert next(answer.iter_content()) == b"x"
    answer.close()
    assert session.headers == {"a": "b"}
    keeper.adopt({"a": "b"}, {"access_token": "c"})
    keeper.login("name", "word", answer=lambda _: "123456")
    keeper.start_device_login().wait()
    keeper.start_browser_login().wait()
    keeper.start_browser_login("paste").finish("https://app.example/back?code=c&state=s")
    keeper.renew()
    keeper.switch("1")
    keeper.status()
    keeper.logout()
    for ask in (keeper.accounts, keeper.outbox, keeper.drain, keeper.audit, keeper.details):
        ask()  # type: ignore[operator]
    for ask in (keeper.take_confirmations, keeper.vaults, keeper.logout_all, keeper.serve):
        ask()  # type: ignore[operator]
    assert keeper.request_access()
    keeper.set_permission("plugin.video.player", "1", True)
    keeper.unencrypted()
    keeper.allow_unencrypted("http://192.168.1.5:8096")
    for ask in (keeper.describe, keeper.permissions):
        ask()  # type: ignore[operator]
    for ask in (
        keeper.schedule,
        keeper.upkeep,
        keeper.doctor,
        keeper.events,
        keeper.take_log,
        keeper.forget,
    ):
        ask()  # type: ignore[operator]
    native.trail.append({**LINE, "seq": 2})
    keeper.drain()
    assert {verb for verb, _ in native.started + native.looked} == set(VERBS)


@pytest.fixture
def keeper(tmp_path: Path) -> sessionkeeper.Keeper:
    return sessionkeeper.open(data_dir=tmp_path / "data", key_dir=tmp_path / "keys")


def example(schema: dict[str, Any]) -> Any:
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "binary":
        return b"x"
    return EXAMPLES[schema["type"]]


def required(verb: str) -> dict[str, Any]:
    schema = resolved(SCHEMA[f"verb {verb}"])
    return {name: example(schema["properties"][name]) for name in schema.get("required", [])}


@pytest.mark.parametrize("verb", VERBS)
def test_the_module_refuses_what_is_not_asked_for(verb: str, keeper: Any) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="frobnicate"):
        keeper._run(verb, {**required(verb), "frobnicate": 1}, None)


@pytest.mark.parametrize("verb", VERBS)
def test_the_module_asks_for_what_is_needed(verb: str, keeper: Any) -> None:
    for name in required(verb):
        given = required(verb)
        del given[name]
        with pytest.raises(sessionkeeper.InvalidInput, match=f"{verb}: '{name}' is missing"):
            keeper._run(verb, given, None)


def said(message: str) -> str:
    """Without the name of a field, which is no value."""
    return message.replace("no 'canary'", "").replace("'canary' is not known", "")


@pytest.mark.parametrize("verb", VERBS)
def test_the_module_names_a_field_of_the_wrong_type_and_not_its_value(
    verb: str, keeper: Any
) -> None:
    for name in resolved(SCHEMA[f"verb {verb}"]).get("properties", {}):
        for wrong in ({"canary": 1}, ["canary"], "canary", b"canary", 1.5, -1):
            given = {**required(verb), name: wrong}
            if fault(SCHEMA[f"verb {verb}"], given):
                with pytest.raises(sessionkeeper.InvalidInput, match=f"{verb}: {name}: ") as caught:
                    keeper._run(verb, given, None)
                assert "canary" not in said(caught.value.message)


@pytest.mark.parametrize(
    "verb", ["status", "details", "restore", "accounts", "outbox", "schedule", "audit", "doctor"]
)
def test_the_module_answers_as_the_schema_says(verb: str, keeper: Any) -> None:
    assert not fault(SCHEMA[f"result of {verb}"], keeper._run(verb, {}, None))


def test_a_vault_in_use_holds_no_call(keeper: Any, tmp_path: Path) -> None:
    """What answers at once otherwise becomes an operation; no call takes longer than 100 ms."""
    native = loading.native()
    assert keeper.status().state == "signed_out"
    with open(tmp_path / "data" / "vault.lock", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        began = time.monotonic()
        answer = native.start(keeper._handle, {"status": {}})
        assert time.monotonic() - began < 0.2
        assert set(answer) == {"operation"}
        fcntl.flock(file, fcntl.LOCK_UN)
    assert keeper.status().state == "signed_out"
    while "operation" in answer:
        answer = native.poll(answer["operation"], 100)
    assert answer["value"]["state"] == "signed_out"
