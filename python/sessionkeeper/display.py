"""What the command line prints for people: plain sentences, times in local time.

It decides nothing. Text that came from a server or a file is stripped of control characters, so
that it cannot steer the terminal.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Sequence, TextIO

    from .records import AuditEvent, DrainReport, LogoutReport, OutboxEntry, Status
    from .shapes import ProviderSummary


def prepare(*streams: TextIO) -> None:
    """Makes a terminal that lacks a character show its code instead of ending the programme."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def printable(text: str) -> str:
    """The text without control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)


def status(status: Status) -> str:
    """Who is signed in, until when, and what waits for the server."""
    lines = []
    if status.state == "signed_out":
        lines.append("Nobody is signed in.")
    else:
        account = status.account
        who = (account.email or account.name or account.id) if account else "an unknown account"
        if status.state == "expired":
            what = (
                "access has ended; it can be renewed" if status.renewable else "session has ended"
            )
            lines.append(f"The {what}. Account: {printable(who)} ({status.provider}).")
        else:
            lines.append(f"Signed in to {status.provider} as {printable(who)}.")
            if status.expires_at is not None:
                renewed = "; it can be renewed without you" if status.renewable else ""
                lines.append(
                    f"The access ends on {local_time(status.expires_at)}"
                    f" ({remaining(status.expires_at)}){renewed}."
                )
        lines.append(f"Cookies: {printable(', '.join(status.cookies)) or 'none'}.")
    if status.pending_revocations:
        lines.append(f"{_logouts(status.pending_revocations)} the server's confirmation.")
    return "\n".join(lines)


def logout(report: LogoutReport) -> str:
    """The truth in one sentence."""
    ends = (
        f"the session ends by itself on {local_time(report.expires_at)}"
        if report.expires_at is not None
        else "nobody knows when the session ends by itself"
    )
    sentence = {
        "signed_out": "Signed out, here and on the server.",
        "already_signed_out": "Nobody was signed in.",
        "signed_out_deferred": "Signed out here; the server will be told when it can be reached.",
        "signed_out_unconfirmed": f"Signed out here; the server's answer proves nothing, {ends}.",
        "signed_out_rejected": f"Signed out here; the server does not do it, {ends}.",
        "signed_out_local_only": f"Signed out here only; the server was not told, {ends}.",
    }[report.summary_key]
    if report.confirmed or not report.reason:
        return sentence
    return f"{sentence[:-1]} ({printable(report.reason)})."


def outbox(entries: Sequence[OutboxEntry]) -> str:
    """The waiting logouts, one a line."""
    if not entries:
        return "No logout waits for the server."
    return "\n".join(
        f"{entry.id}  {entry.provider}  {printable(entry.account)}"
        f"  signed out {local_time(entry.created_at)}"
        f"  {_times(entry.attempts)}{_last(entry)}"
        f"  next try {local_time(entry.next_attempt_at)}"
        for entry in entries
    )


def drained(report: DrainReport) -> str:
    """What one run over the outbox came to."""
    names = ("revoked", "already_ended", "deferred", "unconfirmed", "rejected", "expired")
    counts = [f"{getattr(report, name)} {name.replace('_', ' ')}" for name in names]
    done = [count for count in counts if not count.startswith("0 ")]
    return f"Tried: {', '.join(done) or 'nothing'}.\n{outbox(report.entries)}"


def audit(events: Iterable[AuditEvent]) -> str:
    """The trail, one event a line, oldest first."""
    lines = []
    for event in events:
        words = (event.event, event.outcome, event.provider, event.account, event.detail)
        shown = "  ".join(printable(word) for word in words if word)
        lines.append(f"{event.seq}  {local_time(event.at)}  {shown}")
    return "\n".join(lines) or "The audit trail is empty."


def providers(catalogue: Iterable[ProviderSummary]) -> str:
    """The built-in services, one a line."""
    return "\n".join(f"{entry['id']}  {entry['name']}  {entry['website']}" for entry in catalogue)


def findings(found: dict[str, Any], indent: str = "") -> str:
    """The doctor's findings as an indented list."""
    lines = []
    for name, value in found.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            lines.append(f"{indent}{label}:")
            lines.append(findings(value, indent + "  "))
        else:
            lines.append(f"{indent}{label}: {_finding(value)}")
    return "\n".join(lines)


def damage(outcome: str) -> str:
    """What the user is told when the stored sessions could not be read."""
    reasons = {
        "key_missing": "the device key is missing",
        "key_wrong": "the device key is another one",
    }
    if outcome in reasons:
        reason = reasons[outcome]
        return f"the stored sessions cannot be read: {reason}. They are kept aside; sign in again."
    return (
        "what was stored is damaged. What could still be read is in use, the old file is kept "
        "aside; sign in again where you are signed out."
    )


def local_time(at: int) -> str:
    """The time as the user's clock shows it."""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
    except (OverflowError, OSError, ValueError):
        return "an unknown date"


def remaining(until: int) -> str:
    """How long it is until then, in the two largest units."""
    minutes = max(0, until - int(time.time())) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"in {days} d {hours} h"
    return f"in {hours} h {minutes % 60} min"


def _finding(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(_finding(item) for item in value) or "none"
    return "unknown" if value is None else printable(str(value))


def _logouts(count: int) -> str:
    return "1 logout waits for" if count == 1 else f"{count} logouts wait for"


def _times(attempts: int) -> str:
    return "tried once" if attempts == 1 else f"tried {attempts} times"


def _last(entry: OutboxEntry) -> str:
    return f", last: {printable(entry.last_outcome)}" if entry.last_outcome else ""
