"""Restore, login and logout in one process that has everything loaded, as in Kodi's after its first
invocation. The rows take turns, so that a busy moment meets them all.
"""

from __future__ import annotations

import functools
import json
import os
import pickle
import time
from pathlib import Path
from typing import Any, Callable

from benches import by_hand
from benches.report import Times
from tests.servers.fixture import StandIn

# So many restores count as one: a single one is too short for the clock.
RESTORES = 50


def prepare(server: StandIn, home: Path) -> None:
    """Logs in, and leaves what each subject of invocation.py restores."""
    keeper = open_keeper(home, "data")
    session = keeper.login(*server.VIEWER)
    (home / "cookies.json").write_text(json.dumps(dict(session.cookies)))
    if "requests" in installed():
        client = by_hand.Library("requests", server.ca_file, home / "requests.pickle")
        by_hand.log_in(client, *server.VIEWER)


def open_keeper(home: Path, data: str) -> Any:
    import sessionkeeper

    # What is due is done by who is measured, and at no other moment.
    return sessionkeeper.open(
        "angel",
        data_dir=home / data,
        key_dir=home / "keys",
        ca_file=os.environ["BENCH_CA_FILE"],
        resolve=os.environ["BENCH_RESOLVE"].split(","),
        background=False,
    )


@functools.lru_cache(maxsize=None)
def installed() -> list[str]:
    """The peers that are here."""
    import importlib.util

    modules = {"requests": "requests", "httpx": "httpx", "msal-extensions": "msal_extensions"}
    return [name for name, module in modules.items() if importlib.util.find_spec(module)]


def measure(server: StandIn, home: Path, rounds: int) -> dict[str, Times]:
    keeper = open_keeper(home, "data")
    restoring = restore(keeper, home, rounds)
    entering, leaving = log_in_and_out(server, home, rounds)
    return {"restore": restoring, "log in": entering, "log out": leaving}


def restore(keeper: Any, home: Path, rounds: int) -> Times:
    ways: dict[str, Callable[[], object]] = {"sessionkeeper": keeper.restore}
    if "requests" in installed():
        ways["requests, cookie file"] = lambda: pickle.loads(  # noqa: S301 - our own file
            (home / "requests.pickle").read_bytes()
        )
    if "msal-extensions" in installed():
        import msal_extensions  # type: ignore[import-untyped,unused-ignore]

        kept = msal_extensions.FilePersistence(str(home / "cookies.json"))
        ways["msal-extensions"] = lambda: json.loads(kept.load())
    times: Times = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            took = timed(lambda: [way() for _ in range(RESTORES)]) / RESTORES  # noqa: B023
            if number:  # the first round warms up
                times[name].append(took)
    return times


def log_in_and_out(server: StandIn, home: Path, rounds: int) -> tuple[Times, Times]:
    user = server.VIEWER
    ours, local = open_keeper(home, "ours"), open_keeper(home, "local")
    bare, kept = by_hand.Bare(server.ca_file), by_hand.Bare(server.ca_file)
    clients: dict[str, Any] = {"bare client": bare, "bare client, never disconnected": kept}
    for library in [name for name in ("requests", "httpx") if name in installed()]:
        client = by_hand.Library(library, server.ca_file, home / f"{library}.cookies")
        clients[f"{library}, cookie file"] = client
    entering: Times = {}
    leaving: Times = {}
    for number in range(rounds + 1):
        server.clear_journal()
        row = {"sessionkeeper": timed(lambda: ours.login(*user))}
        row_out = {"sessionkeeper": timed(lambda: same(ours.logout().remote, "revoked"))}
        requests = asked(server)
        local.login(*user)
        row_out["sessionkeeper, local only"] = timed(lambda: local.logout(local_only=True))
        for name, client in clients.items():
            server.clear_journal()
            row[name] = timed(lambda: by_hand.log_in(client, *user))  # noqa: B023
            row_out[name] = timed(lambda: by_hand.log_out(client))  # noqa: B023
            same(asked(server), requests)
            if client is not kept:
                client.close()
        if number:
            for times, took in ((entering, row), (leaving, row_out)):
                for name, one in took.items():
                    times.setdefault(name, []).append(one)
    return entering, leaving


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def asked(server: StandIn) -> list[tuple[str, str, str]]:
    return [(one["method"], one["host"], one["path"]) for one in server.journal()]


def same(found: object, wanted: object) -> None:
    """A figure for something else would be worse than none."""
    if found != wanted:
        raise SystemExit(f"not comparable: expected {wanted}, found {found}")
