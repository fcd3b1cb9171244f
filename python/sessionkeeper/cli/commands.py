"""The commands of the command line, one function each: what is asked of the keeper, and printed.

With --json a command prints one object on standard output; `display` writes for people.
"""

from __future__ import annotations

import json
import os
import sys

from sessionkeeper.catalogue import check_provider, read
from sessionkeeper.errors import InvalidInput, NotSignedIn

from . import browser, display, prompt
from .exit_status import DONE, FAILED, NOT_SIGNED_IN, USAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any, Callable, Sequence, TypeVar

    from sessionkeeper.keeper import Keeper
    from sessionkeeper.records import Record, Status

    R = TypeVar("R", bound=Record)


def login(keeper: Keeper, chosen: Namespace, interrupted: Callable[[], bool]) -> int:
    """By the way in that the arguments ask for, or else by the service's first."""
    service = keeper.describe()
    way = _asked_for(chosen) or service.logins[0]
    if way not in service.logins:
        raise InvalidInput(f"{service.name} {_LACKS[way]}.", _INSTEAD[service.logins[0]])
    for address in keeper.unencrypted():
        if chosen.allow_unencrypted or prompt.agrees_to_no_encryption(address):
            keeper.allow_unencrypted(address)
    if way == "device_code":
        session = prompt.sign_in_elsewhere(keeper, interrupted)
    elif way == "authorization_code":
        session = browser.sign_in(keeper, interrupted, paste=chosen.paste)
    elif chosen.username is None:
        message = f"{service.name} asks for a user name and a password."
        raise InvalidInput(message, _INSTEAD["password"])
    else:
        answer = prompt.Answering(interrupted)
        session = keeper.login(chosen.username, prompt.password(), answer=answer)
    _print_status(chosen, session.status)
    return DONE


def _asked_for(chosen: Namespace) -> str:
    if chosen.code:
        return "device_code"
    if chosen.browser or chosen.paste:
        return "authorization_code"
    return "" if chosen.username is None else "password"


_LACKS = {
    "password": "takes no password",
    "device_code": "shows no code",
    "authorization_code": "has no login in a browser",
}
_INSTEAD = {
    "password": "Log in with: sessionkeeper login --username NAME",
    "device_code": "It shows a code to enter on another device: leave --username out.",
    "authorization_code": "Log in with: sessionkeeper login --browser, or --paste",
}


def catalogue(chosen: Namespace, parameters: dict[str, str]) -> int:
    """`providers` and `providers check`: they need no keeper."""
    if chosen.what == "check":
        found = check_provider(chosen.file, parameters)
        _print(chosen, found.as_dict(), display.check(chosen.file, found))
        return DONE if found.usable else USAGE
    listed = read()
    _print(chosen, listed.as_dict(), display.catalogue(listed))
    return DONE


def _status(keeper: Keeper, chosen: Namespace) -> int:
    _print_status(chosen, keeper.status())
    return DONE


def _restore(keeper: Keeper, chosen: Namespace) -> int:
    session = keeper.restore()
    status = keeper.status() if session is None else session.status
    _print_status(chosen, status)
    return DONE if status.state == "signed_in" else NOT_SIGNED_IN


def _request(keeper: Keeper, chosen: Namespace) -> int:
    session = keeper.session
    if session is None:
        raise NotSignedIn("Nobody is logged in.", "Log in with: sessionkeeper login")
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


def _accounts(keeper: Keeper, chosen: Namespace) -> int:
    if chosen.switch is not None:
        usable = keeper.switch(chosen.switch) is not None
        _print_status(chosen, keeper.status())
        return DONE if usable else NOT_SIGNED_IN
    _print_list(chosen, "accounts", keeper.accounts(all=chosen.all), display.accounts)
    return DONE


def _logout(keeper: Keeper, chosen: Namespace) -> int:
    if chosen.all:
        return _logout_all(keeper, chosen)
    report = keeper.logout(
        local_only=chosen.local_only, everywhere=chosen.everywhere, account=chosen.account
    )
    shown = report.as_dict()
    names = ["local", "remote", "status", "cookies_cleared", "server_cookies_cleared"]
    names += ["duration_ms"]
    names += ["sessions_ended"] if chosen.everywhere else []
    names += [name for name in ("audit_warning", "tasks") if shown[name]]
    leaves = "" if report.local == "already_signed_out" else keeper.describe().leaves
    text = display.logout(report, leaves, chosen.everywhere)
    told = {name: shown[name] for name in names}
    _print(chosen, {**told, "leaves": leaves} if leaves else told, text)
    return DONE


def _logout_all(keeper: Keeper, chosen: Namespace) -> int:
    for name in ("local_only", "everywhere"):
        if getattr(chosen, name):
            raise InvalidInput(f"--all and --{name.replace('_', '-')} do not go together.")
    done = keeper.logout_all()
    _print(chosen, done.as_dict(), display.logout_all(done))
    return FAILED if done.failed else DONE


def _outbox(keeper: Keeper, chosen: Namespace) -> int:
    if chosen.drain:
        drained = keeper.drain()
        _print(chosen, drained.as_dict(), display.drained(drained))
    else:
        _print_list(chosen, "entries", keeper.outbox(), display.outbox)
    return DONE


def _service(keeper: Keeper, chosen: Namespace) -> int:
    from . import service

    done = service.run(keeper, verbose=chosen.verbose)
    if chosen.json:
        print(json.dumps(done))
    return DONE


def _audit(keeper: Keeper, chosen: Namespace) -> int:
    _print_list(chosen, "events", keeper.audit(chosen.limit), display.audit)
    return DONE


def _doctor(keeper: Keeper, chosen: Namespace) -> int:
    findings = keeper.doctor().as_dict()
    _print(chosen, findings, display.findings(findings))
    return DONE


# `login` stands apart: it has somebody to talk to.
COMMANDS = {
    "status": _status,
    "restore": _restore,
    "request": _request,
    "accounts": _accounts,
    "logout": _logout,
    "outbox": _outbox,
    "service": _service,
    "audit": _audit,
    "doctor": _doctor,
}


def _print_status(chosen: Namespace, status: Status) -> None:
    _print(chosen, status.as_dict(), display.status(status))


def _print_list(
    chosen: Namespace, name: str, records: Sequence[R], text: Callable[[Sequence[R]], str]
) -> None:
    _print(chosen, {name: [record.as_dict() for record in records]}, text(records))


def _print(chosen: Namespace, shown: dict[str, Any], text: str) -> None:
    print(json.dumps(shown) if chosen.json else text)


def _headers(given: Sequence[str]) -> dict[str, str]:
    headers = {}
    for header in given:
        name, colon, value = header.partition(":")
        if not colon or not name.strip():
            # What was given is not repeated: it may be a secret.
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
