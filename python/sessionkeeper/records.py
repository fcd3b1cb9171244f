"""What the keeper reports: small immutable records that hold no secret.

They compare by value. All times are whole seconds since 1970-01-01 UTC, or None where nobody knows.
An account's name and e-mail address are kept out of `repr`, because logs get shared.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Sequence

    from .shapes import (
        AccountShape,
        AuditShape,
        DrainShape,
        EntryShape,
        ReportShape,
        StatusShape,
        TaskResultShape,
    )


class Record:
    """The fields are the slots, in order; `_private` names those that `repr` leaves out."""

    __slots__: tuple[str, ...] = ()
    _private: tuple[str, ...] = ()

    def __init__(self, *values: object) -> None:
        for name, value in zip(self.__slots__, values):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.__slots__))

    def __repr__(self) -> str:
        shown = (name for name in self.__slots__ if name not in self._private)
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(getattr(self, name) for name in self.__slots__)

    def as_dict(self) -> dict[str, Any]:
        """The record as plain data, nested records and tuples too."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}


class Account(Record):
    """Who is signed in. `id` is the provider's own and stable."""

    __slots__ = ("id", "name", "email")
    _private = ("name", "email")
    id: str
    name: str
    email: str

    @classmethod
    def from_shape(cls, shape: AccountShape) -> Account:
        return cls(shape["id"], shape["name"], shape["email"])


class Status(Record):
    """What is stored.

    `state` is "signed_in", "signed_out" or "expired": the access has ended by itself, and
    `renewable` says whether it can be brought back without the user. `expires_at` is when the
    access ends. `cookies` are names. `pending_revocations` counts the logouts that the server has
    not confirmed yet.
    """

    __slots__ = (
        "state",
        "provider",
        "account",
        "expires_at",
        "renewable",
        "cookies",
        "pending_revocations",
    )
    state: str
    provider: str
    account: Account | None
    expires_at: int | None
    renewable: bool
    cookies: tuple[str, ...]
    pending_revocations: int

    @classmethod
    def from_shape(cls, shape: StatusShape) -> Status:
        account = shape["account"]
        return cls(
            shape["state"],
            shape["provider"],
            Account.from_shape(account) if account else None,
            shape["expires_at"],
            shape["renewable"],
            tuple(shape["cookies"]),
            shape["pending_revocations"],
        )

    @property
    def usable(self) -> bool:
        """Signed in, or expired and able to come back without the user."""
        return self.state == "signed_in" or (self.state == "expired" and self.renewable)


# What the user is told, by the server's part of the logout. The keys are also those of the
# localised texts.
_SUMMARIES = {
    "revoked": "signed_out",
    "already_ended": "signed_out",
    "deferred": "signed_out_deferred",
    "unconfirmed": "signed_out_unconfirmed",
    "rejected": "signed_out_rejected",
    "nothing_to_revoke": "signed_out_local_only",
}


class TaskResult(Record):
    """What became of one piece of post-logout work: a clean-up step of the provider file, or a hook
    by its name. `outcome` is "done" or "failed"; `detail` says why in safe words."""

    __slots__ = ("name", "outcome", "detail")
    name: str
    outcome: str
    detail: str

    @classmethod
    def from_shape(cls, shape: TaskResultShape) -> TaskResult:
        return cls(shape["name"], shape["outcome"], shape["detail"])


class LogoutReport(Record):
    """What a logout did. This device is signed out whatever it says.

    `local` is "cleared" or "already_signed_out"; `remote` is "revoked", "already_ended",
    "deferred", "unconfirmed", "rejected" or "nothing_to_revoke"; `status` is the HTTP status that
    the server answered with; `duration_ms` is in milliseconds; `expires_at` is when the credentials
    end by themselves; `reason` says why in safe words, and may be empty.

    `sessions_ended` counts the sessions that the server ended, this one included, and is None where
    nobody knows; `audit_warning` says who did not get the audit trail, the service or an audit sink
    by its name, and is empty otherwise; `tasks` is the post-logout work that has been tried.
    """

    __slots__ = (
        "local",
        "remote",
        "status",
        "cookies_cleared",
        "duration_ms",
        "expires_at",
        "reason",
        "sessions_ended",
        "audit_warning",
        "tasks",
    )
    local: str
    remote: str
    status: int | None
    cookies_cleared: tuple[str, ...]
    duration_ms: int
    expires_at: int | None
    reason: str
    sessions_ended: int | None
    audit_warning: str
    tasks: tuple[TaskResult, ...]

    @classmethod
    def from_shape(cls, shape: ReportShape) -> LogoutReport:
        return cls(
            shape["local"],
            shape["remote"],
            shape["status"],
            tuple(shape["cookies_cleared"]),
            shape["duration_ms"],
            shape["expires_at"],
            shape["reason"],
            shape.get("sessions_ended"),
            shape.get("audit_warning", ""),
            tuple(TaskResult.from_shape(task) for task in shape.get("tasks", ())),
        )

    def completed(self, tasks: Sequence[TaskResult], audit_warning: str) -> LogoutReport:
        """The report with what was done after the core had written it."""
        warnings = [text for text in (self.audit_warning, audit_warning) if text]
        unchanged = [getattr(self, name) for name in self.__slots__[:-2]]
        return LogoutReport(*unchanged, "; ".join(warnings), (*self.tasks, *tasks))

    @property
    def confirmed(self) -> bool:
        """Nothing is left alive at the server: it has said so, or there was nothing to end."""
        return self.remote in ("revoked", "already_ended") or self.local == "already_signed_out"

    @property
    def summary_key(self) -> str:
        """The sentence to tell the user, as a stable key: "signed_out", "already_signed_out",
        "signed_out_deferred", "signed_out_unconfirmed", "signed_out_rejected" or
        "signed_out_local_only" (the server was not told and will not be)."""
        if self.local == "already_signed_out" and self.remote == "nothing_to_revoke":
            return "already_signed_out"
        # A word this version does not know proves nothing, so it is told as that.
        return _SUMMARIES.get(self.remote, "signed_out_unconfirmed")


class OutboxEntry(Record):
    """A revocation that the server has not confirmed yet. `expires_at` is when the credentials end
    by themselves; one whose `last_outcome` is "rejected" is tried once a day until then."""

    __slots__ = (
        "id",
        "provider",
        "account",
        "created_at",
        "expires_at",
        "attempts",
        "next_attempt_at",
        "last_outcome",
    )
    id: int
    provider: str
    account: str
    created_at: int
    expires_at: int | None
    attempts: int
    next_attempt_at: int
    last_outcome: str

    @classmethod
    def from_shape(cls, shape: EntryShape) -> OutboxEntry:
        return cls(*(shape[name] for name in cls.__slots__))  # type: ignore[literal-required]


class DrainReport(Record):
    """What one run over the outbox came to: `entries` are left, the numbers count the outcomes;
    `expired` entries were dropped because their credentials had ended by themselves."""

    __slots__ = (
        "entries",
        "revoked",
        "already_ended",
        "deferred",
        "unconfirmed",
        "rejected",
        "expired",
    )
    entries: tuple[OutboxEntry, ...]
    revoked: int
    already_ended: int
    deferred: int
    unconfirmed: int
    rejected: int
    expired: int

    @classmethod
    def from_shape(cls, shape: DrainShape) -> DrainReport:
        return cls(
            tuple(OutboxEntry.from_shape(entry) for entry in shape["entries"]),
            *(shape[name] for name in cls.__slots__[1:]),  # type: ignore[literal-required]
        )


class AuditEvent(Record):
    """A line of the audit trail. Trust `seq` for the order: clocks are set."""

    __slots__ = ("seq", "at", "event", "provider", "account", "outcome", "detail")
    seq: int
    at: int
    event: str
    provider: str
    account: str
    outcome: str
    detail: str

    @classmethod
    def from_shape(cls, shape: AuditShape) -> AuditEvent:
        return cls(*(shape[name] for name in cls.__slots__))  # type: ignore[literal-required]


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return value.as_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
