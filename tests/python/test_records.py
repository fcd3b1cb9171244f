"""Records and the sentences they stand for: immutable, compared by value, quiet in `repr`."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from sessionkeeper import (
    Account,
    AuditEvent,
    DrainReport,
    LogoutReport,
    OutboxEntry,
    ProviderCheck,
    Status,
    StoredAccount,
    TaskResult,
)
from sessionkeeper.records import Record
from tests.python.native_double import CHECK, ENTRY, LINE, REPORT, SIGNED_IN, SIGNED_OUT, STORED

TASK = {"name": "cache", "outcome": "failed", "detail": "in use"}
PROBLEM = {"key": "logout.url", "message": "only https", "hint": "Write https://", "line": 4}
DRAINED = {
    "entries": [ENTRY],
    "revoked": 1,
    "already_ended": 2,
    "deferred": 3,
    "unconfirmed": 4,
    "alive": 5,
    "rejected": 6,
    "expired": 7,
}


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (Status, SIGNED_IN),
        (Status, SIGNED_OUT),
        (LogoutReport, REPORT),
        (LogoutReport, {**REPORT, "sessions_ended": None, "tasks": [TASK, TASK]}),
        (TaskResult, TASK),
        (StoredAccount, STORED),
        (ProviderCheck, {**CHECK, "problems": [PROBLEM], "advice": ["a"], "summary": ["b", "c"]}),
        (OutboxEntry, ENTRY),
        (DrainReport, DRAINED),
        (AuditEvent, LINE),
    ],
)
def test_a_record_says_what_the_core_said(kind: Any, shape: dict[str, Any]) -> None:
    record = kind.from_dict(shape)
    assert record.as_dict() == shape
    assert list(record.as_dict()) == list(shape)
    assert record == kind.from_dict(shape)
    assert hash(record) == hash(kind.from_dict(shape))
    assert pickle.loads(pickle.dumps(record)) == record
    for name in shape:
        with pytest.raises(AttributeError):
            setattr(record, name, None)
        with pytest.raises(AttributeError):
            delattr(record, name)
    assert record.as_dict() == shape


def test_different_records_differ() -> None:
    shapes: list[Any] = [SIGNED_IN, SIGNED_OUT]
    assert len({Status.from_dict(shape) for shape in shapes}) == 2
    assert Account("1", "", "") != ("1", "", "")


def test_a_name_and_an_address_stay_out_of_repr() -> None:
    shape: Any = SIGNED_IN
    stored: Any = STORED
    for record in (Status.from_dict(shape), StoredAccount.from_dict(stored)):
        assert "viewer@example.com" not in repr(record)
        assert "Viewer" not in repr(record)
        assert "87735831" in repr(record)


@pytest.mark.parametrize(
    ("local", "remote", "key", "confirmed"),
    [
        ("cleared", "revoked", "signed_out", True),
        ("cleared", "already_ended", "signed_out", True),
        ("cleared", "deferred", "signed_out_deferred", False),
        ("cleared", "unconfirmed", "signed_out_unconfirmed", False),
        ("cleared", "alive", "signed_out_alive", False),
        ("cleared", "rejected", "signed_out_rejected", False),
        ("cleared", "nothing_to_revoke", "signed_out_local_only", False),
        ("already_signed_out", "nothing_to_revoke", "already_signed_out", True),
        ("cleared", "a word of tomorrow", "signed_out_unconfirmed", False),
    ],
)
def test_the_summary_is_the_truth(local: str, remote: str, key: str, confirmed: bool) -> None:
    shape: Any = {**REPORT, "local": local, "remote": remote}
    report = LogoutReport.from_dict(shape)
    assert report.summary_key == key
    assert report.confirmed is confirmed


@pytest.mark.parametrize(
    ("state", "renewable", "usable"),
    [
        ("signed_in", False, True),
        ("expired", True, True),
        ("expired", False, False),
        ("signed_out", False, False),
    ],
)
def test_usable_means_without_the_user(state: str, renewable: bool, usable: bool) -> None:
    shape: Any = {**SIGNED_IN, "state": state, "renewable": renewable}
    status = Status.from_dict(shape)
    assert status.usable is usable


def test_a_report_is_completed_with_what_came_after_it() -> None:
    first: Any = {"name": "cache", "outcome": "done", "detail": ""}
    shape: Any = {**REPORT, "tasks": [first]}
    report = LogoutReport.from_dict(shape)
    assert report.completed([], "") == report
    later = TaskResult("hook", "failed", "why")
    completed = report.completed([later], "sink: away")
    assert completed.tasks == (TaskResult("cache", "done", ""), later)
    assert completed.audit_warning == "sink: away"
    assert completed.completed([], "again").audit_warning == "sink: away; again"
    assert completed.as_dict()["tasks"] == [first, later.as_dict()]
    added = {"audit_warning": "sink: away", "tasks": completed.as_dict()["tasks"]}
    assert completed.as_dict() == {**report.as_dict(), **added}


def test_fields_with_a_default_may_be_left_out() -> None:
    class Pair(Record):
        first: int
        second: int = 2

    assert Pair(1).as_dict() == {"first": 1, "second": 2} == Pair(1, 2).as_dict()
    with pytest.raises(TypeError):
        Pair()
