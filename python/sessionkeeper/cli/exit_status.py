"""The exit status of the command line, also by the code of an error."""

from __future__ import annotations

DONE, FAILED, USAGE, NOT_SIGNED_IN, REFUSED, NETWORK, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

# What is not named here is FAILED.
BY_CODE = {
    "invalid_input": USAGE,
    "unknown_provider": USAGE,
    "invalid_provider": USAGE,
    "parameter_missing": USAGE,
    "unknown_account": USAGE,
    "not_signed_in": NOT_SIGNED_IN,
    "needs_permission": NOT_SIGNED_IN,
    "encryption_missing": REFUSED,
    "session_expired": NOT_SIGNED_IN,
    "credentials_refused": REFUSED,
    "answer_needed": REFUSED,
    "answer_refused": REFUSED,
    "login_denied": REFUSED,
    "network_error": NETWORK,
    "tls_failure": NETWORK,
    "timeout": NETWORK,
}
