"""The records that a login and a request do not need: what a logout did, what is stored, what
happened, what this machine can do. See `records` for what they have in common.
"""

from __future__ import annotations

from .records import Account, Record, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence


class Details(Status):
    """The status, with when this login and its last renewal were: `renewed_at` is `signed_in_at`
    until the first one. `renews_at` is when it is renewed next, None where that takes the user.
    `ends_at` is when it ends at the latest, unless a renewal also prolongs what renews it; None
    where nobody knows."""

    signed_in_at: int | None
    renewed_at: int | None
    renews_at: int | None
    ends_at: int | None


class StoredAccount(Record):
    """An account that is logged in on this device.

    `active` is the one that `Keeper.session` is of. `state` is "signed_in" or "expired": the access
    has ended by itself. `expires_at` is when the access ends, and `renewable` says whether it goes
    on without the user; `signed_in_at` is when this login was.
    """

    provider: str
    account: Account
    active: bool
    state: str
    expires_at: int | None
    renewable: bool
    signed_in_at: int

    @property
    def usable(self) -> bool:
        """Logged in, or expired and able to come back without the user."""
        return self.state == "signed_in" or self.renewable


class Permission(Record):
    """The viewer's answer about an add-on, by its id, and an account, by its id: whether it may use
    the account, and since when she says so."""

    addon: str
    provider: str
    account: str
    allowed: bool
    since: int


class TaskResult(Record):
    """What became of one piece of post-logout work: a clean-up step of the provider file, or a hook
    by its name. `outcome` is "done" or "failed"; `detail` says why in safe words."""

    name: str
    outcome: str
    detail: str


# What the user is told, by the server's part of the logout. The keys are also those of the
# localised texts.
_SUMMARIES = {
    "revoked": "signed_out",
    "already_ended": "signed_out",
    "deferred": "signed_out_deferred",
    "unconfirmed": "signed_out_unconfirmed",
    "alive": "signed_out_alive",
    "rejected": "signed_out_rejected",
    "nothing_to_revoke": "signed_out_local_only",
}


class LogoutReport(Record):
    """What a logout did. This device is logged out whatever it says.

    `local` is "cleared" or "already_signed_out"; `remote` is "revoked", "already_ended",
    "deferred", "unconfirmed" (not proved), "alive" (the server still accepts the session),
    "rejected" or "nothing_to_revoke"; `status` is the HTTP status that the server answered with;
    `cookies_cleared` names the cookies that this device forgot, and `server_cookies_cleared` those
    of them that the server's answer deleted, sorted; `duration_ms` is in milliseconds; `expires_at`
    is when the credentials end by themselves; `reason` says why in safe words, and may be empty.

    `sessions_ended` counts the sessions that the server ended, this one included, and is None where
    nobody knows; `audit_warning` says who did not get the audit trail, the service or an audit sink
    by its name, and is empty otherwise; `tasks` is the post-logout work that has been tried.
    """

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
    server_cookies_cleared: tuple[str, ...] = ()

    def completed(self, tasks: Sequence[TaskResult], audit_warning: str) -> LogoutReport:
        """The report with what was done after the core had written it."""
        warnings = "; ".join(text for text in (self.audit_warning, audit_warning) if text)
        changed = {"audit_warning": warnings, "tasks": (*self.tasks, *tasks)}
        return LogoutReport(*{**self.__dict__, **changed}.values())

    @property
    def confirmed(self) -> bool:
        """Nothing is left alive at the server: it has said so, or there was nothing to end."""
        return self.remote in ("revoked", "already_ended") or self.local == "already_signed_out"

    @property
    def summary_key(self) -> str:
        """The sentence to tell the user, as a stable key: "signed_out", "already_signed_out",
        "signed_out_deferred", "signed_out_unconfirmed", "signed_out_alive", "signed_out_rejected"
        or "signed_out_local_only" (the server was not told and will not be)."""
        if self.local == "already_signed_out" and self.remote == "nothing_to_revoke":
            return "already_signed_out"
        # A word that this version does not know proves nothing.
        return _SUMMARIES.get(self.remote, "signed_out_unconfirmed")


class LogoutAllEntry(Record):
    """What `Keeper.logout_all()` did about one account.

    `conclusion` is "proved" (the server has proved the end), "later" (the server is told later),
    "by_itself" (nothing is proved; it ends by itself at `expires_at`), "unknown" (nothing is
    proved, and nobody knows when it ends) or "failed" (this device could not be logged out, or the
    server will not be told). `remote` and `status` are a `LogoutReport`'s, None where it failed;
    `reason` says why in safe words, and may be empty. `addon` is the id of the add-on whose private
    vault the account was in, "" for the keeper's own. Where that vault could not be read, `account`
    is None, `provider` is "" and `conclusion` is "failed"; where it is certainly gone, and whoever
    was logged in with it, "unknown".
    """

    addon: str
    provider: str
    provider_name: str
    account: Account | None
    conclusion: str
    remote: str | None
    status: int | None
    expires_at: int | None
    reason: str


class LogoutAll(Record):
    """What `Keeper.logout_all()` did: each account, and how many came to which conclusion.
    `pending_revocations` counts the logouts that still wait for their servers, in all of these
    vaults and earlier ones included; None where one of the vaults could not be read."""

    entries: tuple[LogoutAllEntry, ...]
    proved: int
    later: int
    by_itself: int
    unknown: int
    failed: int
    pending_revocations: int | None


class RegisteredVault(Record):
    """The private vault of an add-on, as `open()` has registered it."""

    addon: str
    data_dir: str
    key_dir: str


class Vaults(Record):
    """The private vaults that are registered with a data directory; those of them that cannot be
    reached now, whose disk or network path may be away; and those that are certainly gone since
    they were last asked for."""

    vaults: tuple[RegisteredVault, ...]
    away: tuple[RegisteredVault, ...]
    vanished: tuple[RegisteredVault, ...]


class OutboxEntry(Record):
    """A revocation that the server has not confirmed yet. `expires_at` is when the credentials end
    by themselves; one whose `last_outcome` is "rejected" is tried once a day until then. Where
    `next_attempt_at` is None, no answer can change the outcome, and nobody is asked any more."""

    id: int
    provider: str
    account: str
    created_at: int
    expires_at: int | None
    attempts: int
    next_attempt_at: int | None
    last_outcome: str


class ConfirmedLogout(Record):
    """A logout that the server has confirmed after its user was told that it would be later."""

    provider: str
    account: Account


class DrainReport(Record):
    """What one run over the outbox came to: `entries` are left, the numbers count the outcomes;
    `expired` entries were dropped because their credentials had ended by themselves."""

    entries: tuple[OutboxEntry, ...]
    revoked: int
    already_ended: int
    deferred: int
    unconfirmed: int
    alive: int
    rejected: int
    expired: int


class AuditEvent(Record):
    """A line of the audit trail. Trust `seq` for the order: clocks get changed."""

    seq: int
    at: int
    event: str
    provider: str
    account: str
    outcome: str
    detail: str


class Event(Record):
    """Something that happened in this process. `seq` counts up by one; `event` and `outcome` are
    words of the audit trail; `account` is an id; `addon` is the id of the add-on whose private
    vault it happened in, "" otherwise."""

    seq: int
    event: str
    provider: str
    account: str
    outcome: str
    addon: str


class Schedule(Record):
    """When the active account's renewal and the next waiting logout are due; None for never."""

    renew_at: int | None
    drain_at: int | None


class RenewalLine(Record):
    """An account whose renewal was due: `account` is its id, `outcome` is "ok" or the code of an
    error."""

    provider: str
    account: str
    outcome: str


class UpkeepReport(Record):
    """What `Keeper.upkeep()` did: `renewals` were due, `drained` is what the servers were told, and
    `next_at` is when something is due next, as far as this process knows; None for never."""

    renewals: tuple[RenewalLine, ...]
    drained: DrainReport
    next_at: int | None


class Forgotten(Record):
    """What `Keeper.forget()` erased: how many sessions, and how many waiting logouts."""

    forgotten: bool
    sessions: int
    pending_revocations: int


class Versions(Record):
    """`sessionkeeper` is the compiled module's version."""

    sessionkeeper: str
    sqlite: str


class VaultFacts(Record):
    """Where the vault is, and what state it is in. `schema` is the version of its tables.

    `rolled_back_at` is when it was last noticed that an older copy had been put back, in seconds
    since 1970: logouts that waited since that copy was made are lost, and what was logged out since
    may be back.
    """

    place: str
    schema: int
    is_sound: bool
    rolled_back_at: int | None


class KeyFacts(Record):
    """Where the device key is. Beside the vault, a copy of the directory opens with it.

    `is_readable_by_others`: its mode lets other users of the machine read it; 0600 would not.
    """

    place: str
    is_beside_the_vault: bool
    is_readable_by_others: bool


class LockFacts(Record):
    """Whether other processes that use the data directory are kept apart."""

    across_processes: bool


class FileSystemFacts(Record):
    """How SQLite writes its journal there, and whether anything can be written at all."""

    journal_mode: str
    is_writable: bool


class TlsFacts(Record):
    """`bundled_roots` counts the certificate authorities that are built in."""

    bundled_roots: int


class ClockFacts(Record):
    """`is_plausible`: not before this version was built. `is_known`: a server has confirmed it."""

    now: int
    is_plausible: bool
    is_known: bool


class Doctor(Record):
    """What this machine can do, by area."""

    versions: Versions
    vault: VaultFacts
    key: KeyFacts
    locks: LockFacts
    file_system: FileSystemFacts
    tls: TlsFacts
    clock: ClockFacts
