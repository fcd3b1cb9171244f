"""The command line `sessionkeeper`: the same API, without Kodi.

Owns the arguments, the exit status and what is printed with --json; `display` writes for people. No
secret is taken from the arguments, which others can see: the password comes from the prompt, from
standard input or from SESSIONKEEPER_PASSWORD.
"""

from __future__ import annotations

import json
import os
import sys

from . import display
from .arguments import parse
from .errors import Error, InvalidInput
from .interrupt import Interrupt
from .keeper import open as open_keeper
from .keeper import providers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any, Callable, Sequence

    from .keeper import Keeper
    from .records import Status

DONE, FAILED, USAGE, NOT_SIGNED_IN, REFUSED, NETWORK, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130
_EXITS = {
    "invalid_input": USAGE,
    "unknown_provider": USAGE,
    "invalid_provider": USAGE,
    "not_signed_in": NOT_SIGNED_IN,
    "session_expired": NOT_SIGNED_IN,
    "credentials_refused": REFUSED,
    "network_error": NETWORK,
    "tls_failure": NETWORK,
    "timeout": NETWORK,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives the exit status."""
    display.prepare(sys.stdout, sys.stderr)
    chosen = parse(argv)
    try:
        with Interrupt() as interrupted:
            try:
                status = _perform(chosen, interrupted)
            except Error as error:
                status = _tell_error(error, chosen.json)
            sys.stdout.flush()
            return INTERRUPTED if interrupted() else status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; Python would complain once more when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _perform(chosen: Namespace, interrupted: Callable[[], bool]) -> int:
    if chosen.command == "providers":
        catalogue = providers()
        _tell(chosen, {"providers": catalogue}, display.providers(catalogue))
        return DONE
    secret = _password() if chosen.command == "login" else None
    keeper = open_keeper(
        chosen.provider,
        data_dir=chosen.data_dir,
        ca_file=chosen.ca_file,
        resolve=chosen.resolve,
        timeout=chosen.timeout,
        stop=interrupted,
    )
    newest = keeper.events()[-1]["seq"]
    try:
        if secret is not None:
            return _login(keeper, chosen, secret)
        return _COMMANDS[chosen.command](keeper, chosen)
    finally:
        for event in keeper.events(newest):
            if event["event"] == "vault_damaged":
                print(f"sessionkeeper: {display.damage(event['outcome'])}", file=sys.stderr)


def _login(keeper: Keeper, chosen: Namespace, secret: str | bytes) -> int:
    _tell_status(chosen, keeper.login(chosen.username, secret).status)
    return DONE


def _status(keeper: Keeper, chosen: Namespace) -> int:
    _tell_status(chosen, keeper.status())
    return DONE


def _restore(keeper: Keeper, chosen: Namespace) -> int:
    session = keeper.restore()
    status = keeper.status() if session is None else session.status
    _tell_status(chosen, status)
    return DONE if status.state == "signed_in" else NOT_SIGNED_IN


def _request(keeper: Keeper, chosen: Namespace) -> int:
    session = keeper.session
    if session is None:
        from .errors import NotSignedIn

        raise NotSignedIn("Nobody is signed in.", "Sign in with: sessionkeeper login")
    headers = _headers(chosen.header)
    body = None if chosen.data is None else _data(chosen.data)
    if body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    answer = session.request(chosen.method, chosen.url, data=body, headers=headers)
    if chosen.json:
        shown = {"status": answer.status_code, "headers": dict(answer.headers.items())}
        print(json.dumps({**shown, "body": answer.text}))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(answer.content)
    return DONE


def _logout(keeper: Keeper, chosen: Namespace) -> int:
    report = keeper.logout(local_only=chosen.local_only, everywhere=chosen.everywhere)
    shown = report.as_dict()
    names = ("local", "remote", "status", "cookies_cleared", "duration_ms")
    _tell(chosen, {name: shown[name] for name in names}, display.logout(report))
    return DONE


def _outbox(keeper: Keeper, chosen: Namespace) -> int:
    if chosen.drain:
        drained = keeper.drain()
        _tell(chosen, drained.as_dict(), display.drained(drained))
    else:
        entries = keeper.outbox()
        shown = {"entries": [entry.as_dict() for entry in entries]}
        _tell(chosen, shown, display.outbox(entries))
    return DONE


def _audit(keeper: Keeper, chosen: Namespace) -> int:
    events = keeper.audit(chosen.limit)
    _tell(chosen, {"events": [event.as_dict() for event in events]}, display.audit(events))
    return DONE


def _doctor(keeper: Keeper, chosen: Namespace) -> int:
    findings = keeper.doctor()
    _tell(chosen, findings, display.findings(findings))
    return DONE


_COMMANDS = {
    "status": _status,
    "restore": _restore,
    "request": _request,
    "logout": _logout,
    "outbox": _outbox,
    "audit": _audit,
    "doctor": _doctor,
}


def _tell_status(chosen: Namespace, status: Status) -> None:
    _tell(chosen, status.as_dict(), display.status(status))


def _tell(chosen: Namespace, shown: dict[str, Any], text: str) -> None:
    print(json.dumps(shown) if chosen.json else text)


def _tell_error(error: Error, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": error.as_dict()}))
    else:
        print(f"sessionkeeper: {display.printable(error.message)}", file=sys.stderr)
        if error.hint:
            print(display.printable(error.hint), file=sys.stderr)
    return _EXITS.get(error.code, FAILED)


def _password() -> str | bytes:
    """From SESSIONKEEPER_PASSWORD, from the prompt of a terminal, or the first line of standard
    input, without the end of the line."""
    given = os.environ.get("SESSIONKEEPER_PASSWORD")
    if given is not None:
        return os.fsencode(given)
    if sys.stdin is None:
        return b""
    if sys.stdin.isatty():
        from getpass import getpass

        try:
            return getpass("Password: ")
        except EOFError:
            return b""
    line = sys.stdin.buffer.readline()
    if line.endswith(b"\n"):
        line = line[:-2] if line.endswith(b"\r\n") else line[:-1]
    return line


def _headers(given: Sequence[str]) -> dict[str, str]:
    headers = {}
    for header in given:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            # What was given is not repeated: it may be a secret without its name.
            raise InvalidInput("A --header has no colon.", "Write it as: --header 'Name: value'")
        headers[name.strip()] = value.strip()
    return headers


def _data(given: str) -> bytes:
    """The body: the text itself, or with a leading @ what is in the file, - for standard input."""
    if not given.startswith("@"):
        return os.fsencode(given)
    if given == "@-":
        return sys.stdin.buffer.read()
    try:
        with open(given[1:], "rb") as file:
            return file.read()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    raise InvalidInput(f"The file of --data cannot be used: {reason}.")
