"""What the command line prints for people: plain sentences, times in local time.

It decides nothing. Text that came from a server or a file is stripped of control characters, so
that it cannot steer the terminal.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, Sequence, TextIO

    from sessionkeeper.catalogue import Catalogue, Parameter, Problem, ProviderCheck
    from sessionkeeper.device import DeviceLogin
    from sessionkeeper.records import Account, Status
    from sessionkeeper.reports import (
        AuditEvent,
        DrainReport,
        LogoutAll,
        LogoutAllEntry,
        LogoutReport,
        OutboxEntry,
        StoredAccount,
        UpkeepReport,
    )


def prepare(*streams: TextIO) -> None:
    """Lets a terminal that lacks a character show its code instead of ending the program."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def printable(text: str) -> str:
    """The text without control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)


def status(status: Status) -> str:
    """Who is logged in, until when, and what waits for the server."""
    who, until = _who(status.account), status.expires_at
    if status.state == "signed_out":
        lines = ["Nobody is logged in."]
    elif status.state == "signed_in":
        lines = [f"Logged in to {status.provider} as {who}."]
        if until is not None:
            renewed = "; it can be renewed without you" if status.renewable else ""
            lines.append(f"The access ends on {local_time(until)} ({remaining(until)}){renewed}.")
    else:
        what = "access has ended; it can be renewed" if status.renewable else "session has ended"
        lines = [f"The {what}. Account: {who} ({status.provider})."]
    if status.state != "signed_out":
        lines.append(f"Cookies: {printable(', '.join(status.cookies)) or 'none'}.")
    if status.pending_revocations:
        waiting = _counted(status.pending_revocations, "logout waits", "logouts wait")
        lines.append(f"{waiting} for the server's confirmation.")
    return "\n".join(lines)


def logout(report: LogoutReport, leaves: str, everywhere: bool = False) -> str:
    """The outcome in one sentence, and a line for each further detail; `leaves` is what a logout
    does not end."""
    lines = [_outcome(report)]
    lines += [f"A logout does not end {printable(leaves)}."] if leaves else []
    if everywhere and report.local != "already_signed_out":
        lines.append(_ended(report))
    lines += _cookies(report)
    lines += [
        f"Not done: {printable(task.name)} ({printable(task.detail)})."
        for task in report.tasks
        if task.outcome != "done"
    ]
    if report.audit_warning:
        lines.append(f"Audit trail: {printable(report.audit_warning)}.")
    return "\n".join(lines)


def _outcome(report: LogoutReport) -> str:
    ends = "when the session ends by itself is unknown"
    if report.expires_at is not None:
        ends = f"the session ends by itself on {local_time(report.expires_at)}"
    sentence = {
        "signed_out": "Logged out, here and on the server.",
        "already_signed_out": "Nobody was logged in.",
        "signed_out_deferred": "Logged out here; the server will be told when it can be reached.",
        "signed_out_unconfirmed": f"Logged out here. The server's answer proves nothing; {ends}.",
        "signed_out_alive": f"Logged out here. The server still accepts the session; {ends}.",
        "signed_out_rejected": f"Logged out here. The server refuses to end the session; {ends}.",
        "signed_out_local_only": f"Logged out here only. The server was not told; {ends}.",
    }[report.summary_key]
    if report.confirmed or not report.reason:
        return sentence
    return f"{sentence[:-1]} ({printable(report.reason)})."


def logout_all(done: LogoutAll) -> str:
    """What became of each account, one a line, and what still waits."""
    lines = [_left(entry) for entry in done.entries] or ["Nobody was logged in."]
    if done.pending_revocations:
        waiting = _counted(done.pending_revocations, "logout waits", "logouts wait")
        lines.append(f"{waiting} for the server's confirmation: see sessionkeeper outbox.")
    elif done.pending_revocations is None:
        lines.append("Nobody knows how many logouts wait for a server's confirmation.")
    return "\n".join(lines)


def _left(entry: LogoutAllEntry) -> str:
    of = f" ({printable(entry.addon)})" if entry.addon else ""
    if entry.account is None:
        state = "is gone" if entry.conclusion == "unknown" else "cannot be read"
        return f"What is stored{of} {state}: {printable(entry.reason)}."
    ends = "nobody knows when the session ends by itself"
    if entry.expires_at is not None:
        ends = f"the session ends by itself on {local_time(entry.expires_at)}"
    sentence = {
        "proved": "logged out, here and on the server",
        "later": "logged out here; the server will be told when it can be reached",
        "by_itself": f"logged out here, but the server has proved nothing; {ends}",
        "unknown": f"logged out here, but the server has proved nothing; {ends}",
    }.get(entry.conclusion, "not logged out")
    why = f" ({printable(entry.reason)})" if entry.reason and entry.conclusion != "proved" else ""
    where = printable(entry.provider_name or entry.provider)
    return f"{_who(entry.account)}, {where}{of}: {sentence}{why}."


def _cookies(report: LogoutReport) -> list[str]:
    """What the server left, where it deleted only some of the cookies that this device forgot."""
    deleted = report.server_cookies_cleared
    left = [name for name in report.cookies_cleared if name not in deleted]
    if not deleted or not left:
        return []
    these = "this cookie" if len(deleted) == 1 else "these cookies"
    names, others = (printable(", ".join(some)) for some in (deleted, left))
    return [f"The server deleted {these}: {names}; but not: {others}."]


def _ended(report: LogoutReport) -> str:
    count = report.sessions_ended
    if count is None:
        return "How many sessions the server ended is not known."
    if count == 0:
        return "The server has not ended any session yet."
    sessions = _counted(count, "session", "sessions")
    return f"The server ended {sessions}{', this one included' if report.confirmed else ''}."


def code(login: DeviceLogin) -> str:
    """What to do on the other device."""
    address = (
        "To log in, open this address on another device:\n\n"
        f"    {printable(login.verification_uri)}\n"
    )
    if not login.user_code:
        return address
    return f"{address}\nand enter this code there:\n\n    {printable(login.user_code)}\n"


def accounts(stored: Sequence[StoredAccount]) -> str:
    """The accounts, one a line; the active one has a star."""
    return "\n".join(_account(entry) for entry in stored) or "No account is logged in."


def _account(entry: StoredAccount) -> str:
    if entry.renewable:
        state = "stays logged in"
    elif entry.state == "signed_in":
        until = f" until {local_time(entry.expires_at)}" if entry.expires_at is not None else ""
        state = f"logged in{until}"
    else:
        state = "access has ended"
    return (
        f"{'*' if entry.active else ' '} {printable(entry.account.id)}  {_who(entry.account)}"
        f"  {entry.provider}  {state}"
    )


def outbox(entries: Sequence[OutboxEntry]) -> str:
    """The waiting logouts, one a line."""
    return "\n".join(_waiting(entry) for entry in entries) or "No logout waits for the server."


def _waiting(entry: OutboxEntry) -> str:
    tried = "tried once" if entry.attempts == 1 else f"tried {entry.attempts} times"
    last = f", last: {printable(entry.last_outcome)}" if entry.last_outcome else ""
    when = "not tried again"
    if entry.next_attempt_at is not None:
        when = f"next try {local_time(entry.next_attempt_at)}"
    return (
        f"{entry.id}  {entry.provider}  {printable(entry.account)}"
        f"  logged out {local_time(entry.created_at)}  {tried}{last}  {when}"
    )


def drained(report: DrainReport) -> str:
    """What one run over the outbox came to."""
    return f"Tried: {_tried(report) or 'nothing'}.\n{outbox(report.entries)}"


def _tried(report: DrainReport) -> str:
    names = (
        *("revoked", "already_ended", "deferred"),
        *("unconfirmed", "alive", "rejected", "expired"),
    )
    counts = [f"{getattr(report, name)} {name.replace('_', ' ')}" for name in names]
    return ", ".join(count for count in counts if not count.startswith("0 "))


def upkeep(report: UpkeepReport) -> str:
    """What was due, a line each; empty where nothing was."""
    lines = []
    for one in report.renewals:
        who = f"{printable(one.account)} at {printable(one.provider)}"
        how = "renewed" if one.outcome == "ok" else f"not renewed ({printable(one.outcome)})"
        lines.append(f"{who}: {how}.")
    tried = _tried(report.drained)
    if tried:
        waiting = _counted(len(report.drained.entries), "logout waits", "logouts wait")
        lines.append(f"Waiting logouts: {tried}; {waiting} still.")
    if lines and report.next_at is not None:
        lines.append(f"Next at {local_time(report.next_at)}.")
    return "\n".join(lines)


def audit(events: Iterable[AuditEvent]) -> str:
    """The trail, one event a line, oldest first."""
    lines = []
    for event in events:
        words = (event.event, event.outcome, event.provider, event.account, event.detail)
        shown = "  ".join(printable(word) for word in words if word)
        lines.append(f"{event.seq}  {local_time(event.at)}  {shown}")
    return "\n".join(lines) or "The audit trail is empty."


def catalogue(found: Catalogue) -> str:
    """The services, one a line, and below it where it comes from and what it leaves open; then the
    files that are not used, and why."""
    lines = []
    for entry in found.providers:
        way = "" if entry.logins == ("password",) else f"  (logs in {_ways(entry.logins)})"
        lines.append(f"{entry.id}  {entry.name}  {entry.website}{way}")
        lines += [f"    {printable(entry.file)}"] if entry.file else []
        lines += [_parameter(parameter) for parameter in entry.parameters]
    for file in found.unused:
        lines.append(f"Not used: {_problem(file.file, file)}")
    return "\n".join(lines)


def _ways(logins: Iterable[str]) -> str:
    names = {
        "password": "with a name and a password",
        "device_code": "with a code",
        "authorization_code": "with a browser",
    }
    return " or ".join(names[kind] for kind in logins)


def _parameter(parameter: Parameter) -> str:
    value, default = parameter.example, parameter.default
    usual = "" if default is None else f"; by default {default or 'empty'}"
    return f"    --parameter {parameter.name}={value}  {parameter.about}{usual}"


def check(file: str, found: ProviderCheck) -> str:
    """What there is to say about a provider file, in the form that editors find their way by."""
    lines = [_problem(file, problem) for problem in found.problems]
    lines += [printable(line) for line in found.summary]
    lines += [f"Advice: {printable(line)}" for line in found.advice]
    count = len(found.problems)
    if count:
        problems = _counted(count, "problem keeps", "problems keep")
        lines.append(f"{problems} this file from being used.")
    else:
        lines.append(f"No problems: this file can be used as --provider {printable(file)}")
    return "\n".join(lines)


def _problem(file: str, problem: Problem) -> str:
    place = f"{printable(file)}:{problem.line}" if problem.line else printable(file)
    key = f"{printable(problem.key)}: " if problem.key else ""
    hint = f"\n    {printable(problem.hint)}" if problem.hint else ""
    return f"{place}: {key}{printable(problem.message)}{hint}"


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
    """What the user is told when the stored sessions are not as they were left."""
    if outcome == "rolled_back":
        return (
            "an older copy of the stored sessions was put back. Logouts that waited since then are"
            " lost; log out again what you had logged out."
        )
    keys = {"key_missing": "is missing", "key_wrong": "does not match"}
    if outcome in keys:
        reason = f"the device key {keys[outcome]}"
        return f"the stored sessions cannot be read: {reason}. Log in again."
    return (
        "what was stored is damaged. What could be read is in use, the old file is in quarantine;"
        " log in again if you are logged out."
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


def clock(seconds: int) -> str:
    """A short time as minutes and seconds."""
    return f"{seconds // 60}:{seconds % 60:02}"


def _who(account: Account | None) -> str:
    return printable(account.label) if account else "an unknown account"


def _finding(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(_finding(item) for item in value) or "none"
    return "unknown" if value is None else printable(str(value))


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
