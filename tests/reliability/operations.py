"""What is done under a fault, and what a second process finds afterwards. Runs in a process of its
own for each case; what it gives is plain data, for the judge.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable

import sessionkeeper
from tests.reliability import faults
from tests.reliability.server import PASSWORD

# Seconds, for the options of `open`. A refused connection takes no time, so a wait is a lock's.
TIMES = {"timeout": 5, "connect_timeout": 2, "answer_timeout": 3, "logout_deadline": 2}

# How long a process lives on after a fault, in seconds: what it could not store then, it may now.
LIVES_ON = 0.8

Said = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """`template`: the data directory that it begins with. `is_warm`: the process has used it before
    the fault. `user`: the account that it is about."""

    template: str
    run: Callable[[sessionkeeper.Keeper], Said]
    user: str = "ann"
    kind: str = "plain"
    is_warm: bool = False


def _log_in(user: str) -> Callable[[sessionkeeper.Keeper], Said]:
    return lambda keeper: {"account": keeper.login(user, PASSWORD).account.id}


def _renew(keeper: sessionkeeper.Keeper) -> Said:
    return {"account": keeper.renew().account.id}


def _log_out(keeper: sessionkeeper.Keeper) -> Said:
    report = keeper.logout()
    return {"local": report.local, "remote": report.remote, "reason": report.reason}


def _drain(keeper: sessionkeeper.Keeper) -> Said:
    report = keeper.drain()
    return {"revoked": report.revoked, "left": len(report.entries)}


def _switch(keeper: sessionkeeper.Keeper) -> Said:
    session = keeper.switch("bob")
    return {"account": session.account.id if session else None}


def _forget(keeper: sessionkeeper.Keeper) -> Said:
    return {"pending": keeper.forget().pending_revocations}


# The templates are those of `bench.py`: nobody; two accounts, ann's the active one; and the same
# with a logout of dan's that waits.
OPERATIONS = {
    "first login": Operation("nobody", _log_in("ann")),
    "login": Operation("two", _log_in("cy"), user="cy"),
    "re-login": Operation("two", _log_in("ann")),
    "renew": Operation("two", _renew, is_warm=True),
    "renew, rotating": Operation("two", _renew, kind="rotating", is_warm=True),
    "logout, warm": Operation("two", _log_out, is_warm=True),
    "logout, cold": Operation("two", _log_out),
    "logout, rotating": Operation("two", _log_out, kind="rotating", is_warm=True),
    "drain": Operation("waiting", _drain, user="dan"),
    "switch": Operation("two", _switch, user="bob", is_warm=True),
    "forget": Operation("waiting", _forget, is_warm=True),
}


def open_keeper(root: Path, kind: str) -> sessionkeeper.Keeper:
    return sessionkeeper.open(
        root.parent / f"{kind}.toml",
        data_dir=root / "data",
        key_dir=root / "keys",
        proxy="none",
        log_level="debug",
        background=False,
        **TIMES,
    )


def act(root: Path, name: str, fault: faults.Fault, *, ends: bool) -> dict[str, Any]:
    """Runs an operation under a fault. Then the process ends; or the disk is well again, and it
    lives on for a moment, as Kodi does."""
    operation = OPERATIONS[name]
    keeper = None
    if operation.is_warm:
        keeper = open_keeper(root, operation.kind)
        keeper.restore(offline=True)
    fault.arm(root)
    start = time.monotonic()

    def run() -> Said:
        nonlocal keeper
        keeper = keeper or open_keeper(root, operation.kind)
        return operation.run(keeper)

    said = _outcome(run)
    seconds = time.monotonic() - start
    record = faults.disarm()
    after = None
    if keeper is not None and not ends:
        after = _outcome(lambda: _afterwards(keeper, has_failed=record.failed > 0))
    return {
        "said": said,
        "seconds": seconds,
        "after": after,
        "log": "\n".join(text for _, text in keeper.take_log()) if keeper else "",
        **asdict(record),
    }


def _afterwards(keeper: sessionkeeper.Keeper, *, has_failed: bool) -> Said:
    state = keeper.status().state
    if has_failed:
        keeper.restore(offline=True)
        time.sleep(LIVES_ON)
        state = keeper.status().state
    return {"state": state}


def look(root: Path, name: str) -> dict[str, Any]:
    """What a clean process finds, while the server is well: who is logged in and with what, what
    waits, and whether it can be used."""
    keeper = open_keeper(root, OPERATIONS[name].kind)
    seen: dict[str, Any] = {}

    def read() -> Said:
        seen["accounts"] = {one.account.id: one.active for one in keeper.accounts()}
        seen["waiting"] = [entry.account for entry in keeper.outbox()]
        seen["cookies"] = {}
        active = [account for account, is_active in seen["accounts"].items() if is_active]
        # The active one last: it stays so.
        for account in sorted(seen["accounts"], key=active.__contains__):
            if account not in active:
                keeper.switch(account)
            session = keeper.session
            seen["cookies"][account] = session.cookies.get("sid", "") if session else ""
            if account not in active and active:
                keeper.switch(active[0])
        return {}

    def use() -> Said:
        seen["drained"] = _drain(keeper)
        seen["renewed"] = None
        if any(seen["accounts"].values()):
            seen["renewed"] = _outcome(lambda: _renew(keeper))
            session = keeper.session
            active = next(one for one, is_active in seen["accounts"].items() if is_active)
            seen["cookies_renewed"] = {active: session.cookies.get("sid", "") if session else ""}
        return {}

    seen["reading"] = _outcome(read)
    seen["using"] = _outcome(use)
    seen["audit"] = [[line.event, line.account, line.outcome] for line in keeper.audit(1000)]
    return seen


def prepare(root: Path, kind: str, template: str) -> dict[str, Any]:
    """Fills the data directory of a template."""
    keeper = open_keeper(root, kind)
    if template == "waiting":
        keeper.login("dan", PASSWORD)
        keeper.logout(local_only=True)
    if template in ("two", "waiting"):
        keeper.login("bob", PASSWORD)
        keeper.login("ann", PASSWORD)
    return {"accounts": len(keeper.accounts()), "waiting": len(keeper.outbox())}


def _outcome(run: Callable[[], Said]) -> dict[str, Any]:
    """What was said: a result, an error of ours, or a surprise."""
    try:
        return {"ok": run()}
    except sessionkeeper.Error as error:
        return {"error": error.code, "message": str(error), "hint": error.hint}
    except Exception:  # noqa: BLE001 - the judge is told
        return {"surprise": traceback.format_exc()}
