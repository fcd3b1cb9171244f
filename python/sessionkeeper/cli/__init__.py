"""The command line `sessionkeeper`: the same API, without Kodi.

Owns the way from the arguments to the exit status; `commands` does what was chosen, `prompt` talks
to whoever sits there. No secret is taken from the arguments, which others can see.
"""

from __future__ import annotations

import json
import os
import sys

from sessionkeeper.errors import Error, InvalidInput
from sessionkeeper.open import open as open_keeper

from . import commands, display
from .arguments import parse
from .exit_status import BY_CODE, FAILED, INTERRUPTED
from .interrupt import CancelOnSigint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Callable, Sequence


# What the hint of an error cannot know: how it is written on the command line.
_HOW_HERE = {"parameter_missing": "Give it as: --parameter NAME=VALUE"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives the exit status."""
    _open_missing_streams()
    display.prepare(sys.stdout, sys.stderr)
    chosen = parse(argv)
    try:
        with CancelOnSigint() as interrupted:
            try:
                status = _perform(chosen, interrupted)
            except Error as error:
                status = _print_error(error, chosen.json)
            sys.stdout.flush()
            return INTERRUPTED if interrupted() else status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone; Python would complain again when it closes standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _open_missing_streams() -> None:
    """What the caller has closed goes nowhere, instead of into the next file that is opened."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(nowhere, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _perform(chosen: Namespace, interrupted: Callable[[], bool]) -> int:
    parameters = _parameters(chosen.parameter)
    if chosen.command == "providers":
        return commands.catalogue(chosen, parameters)
    keeper = open_keeper(
        chosen.provider,
        parameters=parameters,
        data_dir=chosen.data_dir,
        ca_file=chosen.ca_file,
        resolve=chosen.resolve,
        timeout=chosen.timeout,
        log_level="debug" if chosen.verbose else "info",
        log_to_terminal=chosen.verbose,
        # The others say what they do, and do nothing else.
        background=chosen.command in {"login", "restore", "request"},
        stop=interrupted,
    )
    newest = keeper.newest_event()
    try:
        if chosen.command == "login":
            return commands.login(keeper, chosen, interrupted)
        return commands.COMMANDS[chosen.command](keeper, chosen)
    finally:
        for event in keeper.events(newest):
            if event.event == "vault_damaged":
                print(f"sessionkeeper: {display.damage(event.outcome)}", file=sys.stderr)


def _parameters(given: Sequence[str]) -> dict[str, str]:
    values = {}
    for item in given:
        name, sign, value = item.partition("=")
        if not sign or not name.strip():
            raise InvalidInput(
                "A --parameter needs a name and a value.",
                "Write it as: --parameter base=https://api.example.com"
                " (`sessionkeeper providers` tells the names).",
            )
        values[name.strip()] = value
    return values


def _print_error(error: Error, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": error.as_dict()}))
    else:
        print(f"sessionkeeper: {display.printable(error.message)}", file=sys.stderr)
        for hint in (error.hint, _HOW_HERE.get(error.code)):
            if hint:
                print(display.printable(hint), file=sys.stderr)
    return BY_CODE.get(error.code, FAILED)
