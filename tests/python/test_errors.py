"""The tree of errors: one class for each code, and nothing secret in any of them."""

from __future__ import annotations

import pickle

import pytest

import sessionkeeper
from sessionkeeper.errors import Error, error_from, safe_text

CODES = {
    "invalid_input": sessionkeeper.InvalidInput,
    "unknown_provider": sessionkeeper.UnknownProvider,
    "invalid_provider": sessionkeeper.InvalidProvider,
    "parameter_missing": sessionkeeper.ParameterMissing,
    "not_signed_in": sessionkeeper.NotSignedIn,
    "needs_permission": sessionkeeper.PermissionNeeded,
    "encryption_missing": sessionkeeper.EncryptionMissing,
    "credentials_refused": sessionkeeper.CredentialsRefused,
    "answer_needed": sessionkeeper.AnswerNeeded,
    "answer_refused": sessionkeeper.AnswerRefused,
    "login_denied": sessionkeeper.LoginDenied,
    "code_expired": sessionkeeper.CodeExpired,
    "unknown_account": sessionkeeper.UnknownAccount,
    "session_expired": sessionkeeper.SessionExpired,
    "unexpected_answer": sessionkeeper.UnexpectedAnswer,
    "network_error": sessionkeeper.NetworkError,
    "tls_failure": sessionkeeper.TlsFailure,
    "timeout": sessionkeeper.Timeout,
    "host_not_allowed": sessionkeeper.HostNotAllowed,
    "cancelled": sessionkeeper.Cancelled,
    "storage_error": sessionkeeper.StorageError,
    "logout_incomplete": sessionkeeper.LogoutIncomplete,
    "version_mismatch": sessionkeeper.VersionMismatch,
    "internal_error": sessionkeeper.InternalError,
}


@pytest.mark.parametrize(("code", "kind"), CODES.items())
def test_each_code_has_its_class(code: str, kind: type) -> None:
    error = error_from({"code": code, "message": "what", "hint": "how"})
    assert type(error) is kind
    assert (error.code, error.message, error.hint, str(error)) == (code, "what", "how", "what")
    assert error.as_dict() == {"code": code, "message": "what", "hint": "how"}


def test_an_unknown_code_is_kept() -> None:
    error = error_from({"code": "brand_new", "message": "what", "hint": ""})
    assert type(error) is Error
    assert error.code == "brand_new"
    assert Error.code == "internal_error"


def test_what_is_below_the_network_is_a_network_error() -> None:
    assert issubclass(sessionkeeper.TlsFailure, sessionkeeper.NetworkError)
    assert issubclass(sessionkeeper.Timeout, sessionkeeper.NetworkError)
    assert not issubclass(sessionkeeper.CredentialsRefused, sessionkeeper.NetworkError)


def test_an_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(sessionkeeper.NotSignedIn("what", "how")))
    assert isinstance(error, sessionkeeper.NotSignedIn)
    assert error.as_dict() == {"code": "not_signed_in", "message": "what", "hint": "how"}


def test_an_exception_of_others_tells_its_class_and_place_only() -> None:
    assert safe_text(sessionkeeper.NotSignedIn("what", "how")) == "what"
    assert safe_text(ValueError("a secret")) == "ValueError"
    with pytest.raises(ValueError, match="canary") as caught:
        int("canary")
    told = safe_text(caught.value)
    line = caught.value.__traceback__.tb_lineno if caught.value.__traceback__ else 0
    assert told == f"ValueError (test_errors.py, line {line})"
