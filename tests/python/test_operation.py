"""Starting, polling and cancelling: no thread is held, no operation outlives its caller."""

from __future__ import annotations

import time

import pytest

import sessionkeeper
from sessionkeeper import operation
from tests.python.native_double import REPORT, SIGNED_IN, Hanging, NativeDouble, error


def test_the_value_comes_back(native: NativeDouble) -> None:
    native.answer("status", SIGNED_IN)
    assert operation.run(native, 11, "status", {}) == SIGNED_IN
    assert native.cancelled == []


def test_a_start_that_fails_raises(native: NativeDouble) -> None:
    with pytest.raises(sessionkeeper.InvalidInput, match="no 'frobnicate'"):
        operation.run(native, 11, "frobnicate", {})


def test_an_error_is_raised_as_its_class(native: NativeDouble) -> None:
    native.answer("renew", error("session_expired"))
    with pytest.raises(sessionkeeper.SessionExpired):
        operation.run(native, 11, "renew", {})


def test_work_that_is_done_at_once_is_never_cancelled(native: NativeDouble) -> None:
    native.answer("status", SIGNED_IN)
    assert operation.run(native, 11, "status", {}, stop=lambda: True) == SIGNED_IN
    assert native.cancelled == []


def test_stop_cancels_within_a_slice(native: NativeDouble) -> None:
    native.answer("renew", Hanging(error("cancelled")))
    began = time.monotonic()
    with pytest.raises(sessionkeeper.Cancelled):
        operation.run(native, 11, "renew", {}, stop=lambda: True)
    assert time.monotonic() - began < 0.5
    assert native.cancelled == [1]
    assert native.longest_wait <= 100


def test_a_cancelled_logout_still_reports(native: NativeDouble) -> None:
    deferred = {**REPORT, "remote": "deferred"}
    native.answer("logout", Hanging({"value": deferred}))
    assert operation.run(native, 11, "logout", {}, stop=lambda: True) == deferred


def test_an_operation_that_does_not_end_is_given_up(native: NativeDouble) -> None:
    native.answer("renew", Hanging())
    began = time.monotonic()
    with pytest.raises(sessionkeeper.Cancelled):
        operation.run(native, 11, "renew", {}, stop=lambda: True)
    assert 0.9 < time.monotonic() - began < 1.6
    assert native.cancelled == [1]


def test_stop_is_asked_after_each_slice_and_not_again_after_yes(native: NativeDouble) -> None:
    native.answer("renew", Hanging(error("cancelled")))
    answers = [False, False, True]
    with pytest.raises(sessionkeeper.Cancelled):
        operation.run(native, 11, "renew", {}, stop=lambda: answers.pop(0))
    assert answers == []
    assert native.polls == 3


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_an_exception_from_outside_cancels(native: NativeDouble, kind: type) -> None:
    def stop() -> bool:
        raise kind

    native.answer("renew", Hanging())
    with pytest.raises(kind):
        operation.run(native, 11, "renew", {}, stop=stop)
    assert native.cancelled == [1]
