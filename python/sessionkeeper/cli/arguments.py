"""The arguments of the command line: what they are called, and what they default to.

The options that every command has may stand before the command or after it. A mistake ends the
program with exit status 2, as argparse does it.
"""

from __future__ import annotations

import argparse

from sessionkeeper import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Sequence


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """The chosen command and its options."""
    chosen = _parser().parse_args(argv)
    for name in ("resolve", "parameter"):
        both = getattr(chosen, f"{name}_before") + getattr(chosen, f"{name}_after", [])
        setattr(chosen, name, both)
    return chosen


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sessionkeeper",
        description="Logs in to a streaming service, stays logged in, and logs out on the"
        " server as well.",
        epilog="Exit status: 0 done, 1 failed, 2 usage, 3 not logged in, 4 credentials refused,"
        " 5 network, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"sessionkeeper {__version__}")
    _add_shared(parser, before=True)
    shared = argparse.ArgumentParser(add_help=False)
    _add_shared(shared, before=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, does: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=does, description=does, parents=[shared])

    login = command("login", "log in; a password or answer comes from the prompt or standard input")
    way = login.add_mutually_exclusive_group()
    way.add_argument("--username", metavar="U", help="log in with this name and a password")
    way.add_argument("--code", action="store_true", help="log in with a code on another device")
    way.add_argument("--browser", action="store_true", help="log in with a browser on this machine")
    way.add_argument(
        "--paste",
        action="store_true",
        help="log in with a browser anywhere, and paste the address at which it ends",
    )
    login.add_argument(
        "--allow-unencrypted",
        action="store_true",
        help="agree that everybody in this network can read what is sent to the service",
    )
    command("status", "show what is stored, without network")
    command("restore", "bring the session back, renewed where needed")
    request = command("request", "send a request with the session's credentials")
    request.add_argument("method", metavar="METHOD", help="GET, POST, …")
    request.add_argument("url", metavar="URL", help="on one of the provider's hosts")
    request.add_argument("--data", metavar="D", help="the body; @FILE sends a file as it is")
    request.add_argument("--header", action="append", default=[], metavar="H", help="'Name: value'")
    accounts = command("accounts", "show the accounts that are logged in here")
    accounts.add_argument("--switch", metavar="ID", help="make this one the active one")
    accounts.add_argument("--all", action="store_true", help="of every service, not just this one")
    logout = command("logout", "log out, here and on the server")
    logout.add_argument("--local-only", action="store_true", help="do not tell the server now")
    logout.add_argument(
        "--everywhere", action="store_true", help="the account's other sessions too"
    )
    which = logout.add_mutually_exclusive_group()
    which.add_argument("--account", metavar="ID", help="this account; by default the active one")
    which.add_argument("--all", action="store_true", help="every account of every service")
    outbox = command("outbox", "show the logouts that the server has not confirmed yet")
    outbox.add_argument("--drain", action="store_true", help="try them now")
    command("service", "stay, and do what is due: deliver waiting logouts, renew the accounts")
    audit = command("audit", "show what happened")
    audit.add_argument("--limit", type=_count, default=100, metavar="N", help="the last N lines")
    providers = command("providers", "show the services that one can log in to")
    actions = providers.add_subparsers(dest="what", metavar="check FILE")
    does = "say what is wrong in a provider file, and what it does"
    check = actions.add_parser("check", help=does, description=does, parents=[shared])
    check.add_argument("file", metavar="FILE", help="a .toml file; see docs/providers.md")
    command("doctor", "show what this machine can do")
    return parser


def _add_shared(parser: argparse.ArgumentParser, *, before: bool) -> None:
    """After the command an option has no default, which would undo the one given before it."""

    def add(name: str, default: Any, **rest: Any) -> None:
        parser.add_argument(name, default=default if before else argparse.SUPPRESS, **rest)

    def add_list(name: str, **rest: Any) -> None:
        dest = f"{name}_before" if before else f"{name}_after"
        add(f"--{name}", [], dest=dest, action="append", **rest)

    add("--data-dir", None, metavar="DIR", help="where the session is kept")
    add("--provider", "angel", metavar="ID|FILE", help="the service; by default angel")
    add_list(
        "parameter",
        metavar="NAME=VALUE",
        help="what the provider leaves open, for example base=https://…; no secrets",
    )
    add("--ca-file", None, metavar="PEM", help="trust these certificate authorities as well")
    add_list(
        "resolve", metavar="HOST:PORT:ADDRESS", help="connect to ADDRESS at PORT instead of HOST"
    )
    add("--timeout", 30.0, type=float, metavar="S", help="seconds for one request; by default 30")
    add("--verbose", False, action="store_true", help="show the log on standard error, in full")
    add("--json", False, action="store_true", help="print one JSON object")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
