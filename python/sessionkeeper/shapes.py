"""The dictionaries that cross the boundary to the compiled module, for type checkers only.

Nothing imports this file at run time. All times are whole seconds since 1970-01-01 UTC. The prose
stands here once; `_native.pyi` and the public classes refer to it.
"""

from __future__ import annotations

from typing import Any, TypedDict


class ErrorShape(TypedDict):
    """Safe to show and to log."""

    code: str
    message: str
    hint: str


class Opened(TypedDict, total=False):
    """The answer of `open`: `keeper` or `error`, never both."""

    keeper: int
    error: ErrorShape


class Started(TypedDict, total=False):
    """The answer of `start`: `operation` or `error`, never both."""

    operation: int
    error: ErrorShape


class Finished(TypedDict, total=False):
    """The answer of `poll` once the operation has ended: `value` or `error`, never both."""

    value: Any
    error: ErrorShape


class AccountShape(TypedDict):
    id: str
    name: str
    email: str


class StatusShape(TypedDict):
    """The value of status, restore, login, login_finish, switch and renew."""

    state: str
    provider: str
    account: AccountShape | None
    expires_at: int | None
    renewable: bool
    cookies: list[str]
    pending_revocations: int


class Details(StatusShape):
    """The value of details: what a settings dialog shows. Cookies by name only."""

    signed_in_at: int | None
    renewed_at: int | None


class CodeShape(TypedDict):
    """The value of login_start: what the user does on another device. `handle` is for login_finish,
    `interval` is how many seconds lie between two questions to the service."""

    handle: int
    user_code: str
    verification_uri: str
    verification_uri_complete: str | None
    expires_at: int
    interval: int


class StoredShape(TypedDict):
    """One account of accounts. `state` is "signed_in" or "expired"."""

    provider: str
    account: AccountShape
    active: bool
    state: str
    expires_at: int | None
    signed_in_at: int | None


class TaskShape(TypedDict):
    """What a logout left to do, as take_tasks hands it out: once, and to nobody else. `kind` is
    "window_property", "builtin" or "hook"; `account` is the id of who was signed out."""

    id: int
    kind: str
    name: str
    provider: str
    account: str


class TaskResultShape(TypedDict):
    """What became of one piece of post-logout work. `outcome` is "done" or "failed"."""

    name: str
    outcome: str
    detail: str


class ReportShape(TypedDict):
    """The value of logout. `sessions_ended` counts those that the server ended, this one included,
    and is None where nobody knows; `audit_warning` is empty when there is none."""

    local: str
    remote: str
    status: int | None
    cookies_cleared: list[str]
    duration_ms: int
    expires_at: int | None
    reason: str
    sessions_ended: int | None
    audit_warning: str
    tasks: list[TaskResultShape]


class EntryShape(TypedDict):
    """A revocation that the server has not confirmed yet."""

    id: int
    provider: str
    account: str
    created_at: int
    expires_at: int | None
    attempts: int
    next_attempt_at: int
    last_outcome: str


class DrainShape(TypedDict):
    """The value of drain: what is left, and what this run came to."""

    entries: list[EntryShape]
    revoked: int
    already_ended: int
    deferred: int
    unconfirmed: int
    rejected: int
    expired: int


class AuditShape(TypedDict):
    """A line of the audit trail."""

    seq: int
    at: int
    event: str
    provider: str
    account: str
    outcome: str
    detail: str


class EventShape(TypedDict):
    """Something that happened in this process. The answer to "the newest number" has an empty
    `event`, and need not have what stands below it."""

    seq: int
    event: str
    provider: str
    account: str
    outcome: str


class NextWork(TypedDict):
    """When to call renew and drain next; None where there is nothing to do."""

    renew_at: int | None
    drain_at: int | None


class Credentials(TypedDict):
    """SECRET. The value of session: what an add-on's own requests need."""

    headers: dict[str, str]
    cookies: dict[str, str]
    token: str


class Answer(TypedDict):
    """The value of request."""

    status: int
    url: str
    headers: list[list[str]]
    body: bytes


class Forgotten(TypedDict):
    """The value of forget: what was erased."""

    forgotten: bool
    sessions: int
    pending_revocations: int


class ParameterShape(TypedDict):
    """What a provider file leaves open. Without a `default` it has to be given."""

    name: str
    about: str
    example: str
    default: str | None


class ProviderSummary(TypedDict):
    """A service of the built-in catalogue. `login` is "password" or "device_code"."""

    id: str
    name: str
    website: str
    login: str
    renewable: bool
    everywhere: bool
    parameters: list[ParameterShape]


class ProblemShape(TypedDict):
    """What is wrong in a provider file. `key` is empty and `line` 0 where nobody knows."""

    key: str
    message: str
    hint: str
    line: int


class CheckShape(TypedDict):
    """The answer of `check_provider`. `id` and `name` are empty where the file does not say."""

    id: str
    name: str
    problems: list[ProblemShape]
    advice: list[str]
    summary: list[str]
