"""The fault lab can fail: its faults strike where they are told to, and its judge sees each breach.

What the lab finds is not tested here: `make reliability` runs it.
"""

from __future__ import annotations

import copy
import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it preloads a library")

if sys.platform == "linux":
    from tests.reliability import faults, known
    from tests.reliability.bench import Bench, Case, Evidence
    from tests.reliability.cases import all_cases, some
    from tests.reliability.faults import NOTHING
    from tests.reliability.judge import INVARIANTS, Breach, judge

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    directory = tmp_path_factory.mktemp("lab")
    bench = Bench(directory / "bench", faults.build(directory))
    yield bench
    bench.close()


# Each step is a call that changes a file, in order; a fault is struck by its number.
STEPS = """
import json, os, sys
from pathlib import Path
from tests.reliability import faults
root, fault = Path(sys.argv[1]), faults.Fault(**json.loads(sys.argv[2]))
def tried(call, *given):
    try:
        return call(*given)
    except OSError as error:
        return -error.errno
(root / "one").touch()
(root / "two").touch()
outside = os.open(root.parent / "outside", os.O_RDWR | os.O_CREAT)
file = os.open(root / "vault.db", os.O_RDWR | os.O_CREAT)
fault.arm(root)
done = [
    tried(os.write, outside, b"1234"),
    tried(os.write, file, b"1234"),
    tried(os.pwrite, file, b"12345678", 0),
    tried(os.write, file, b"1234"),
    tried(os.fsync, file),
    tried(os.fdatasync, file),
    tried(os.ftruncate, file, 2),
    tried(os.rename, root / "one", root / "moved"),
    tried(os.link, root / "vault.db", root / "linked"),
    tried(os.unlink, root / "two"),
    tried(lambda: os.close(os.open(root / "vault.db", os.O_RDONLY))),
    tried(lambda: os.close(os.open(root / "vault.db", os.O_RDWR))),
    tried(lambda: os.close(os.open(root / "new", os.O_RDWR | os.O_CREAT))),
    tried(os.mkdir, root / "directory"),
]
record = faults.disarm()
print(json.dumps([done, record.failed, record.struck, os.fstat(file).st_size]))
"""
SOUND = [4, 4, 8, 4, *[None] * 10]


def steps(tmp_path: Path, library: Path, fault: dict[str, Any]) -> list[Any]:
    root = tmp_path / "root"
    root.mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", STEPS, str(root), json.dumps(fault)],
        env={**os.environ, "LD_PRELOAD": str(library)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[Any] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize(
    ("fault", "failing", "struck"),
    [
        (([], "EIO", 1, 1), {}, ""),
        ((["write"], "EIO", 1, 0), {1: -errno.EIO}, "write vault.db"),
        ((["write"], "ENOSPC", 2, 1), {2: -errno.ENOSPC, 3: -errno.ENOSPC}, "write vault.db"),
        ((["write"], "EROFS", 1, 2), {1: -errno.EROFS, 3: -errno.EROFS}, "write vault.db"),
        ((["write"], "short", 2, 0), {2: 4}, "write vault.db"),
        ((["write"], "torn EIO", 2, 0), {2: -errno.EIO}, "write vault.db"),
        ((["fsync"], "EDQUOT", 1, 1), {4: -errno.EDQUOT, 5: -errno.EDQUOT}, "fsync vault.db"),
        ((["ftruncate"], "EIO", 1, 0), {6: -errno.EIO}, "ftruncate vault.db"),
        ((["rename"], "EIO", 2, 0), {8: -errno.EIO}, "link linked"),
        ((["unlink"], "EROFS", 1, 0), {9: -errno.EROFS}, "unlink two"),
        ((["open"], "EMFILE", 1, 0), {10: -errno.EMFILE}, "open vault.db"),
        ((["writing"], "EROFS", 1, 0), {11: -errno.EROFS}, "open vault.db"),
        ((["create"], "ENOSPC", 1, 1), {12: -errno.ENOSPC, 13: -errno.ENOSPC}, "open new"),
    ],
)
def test_a_fault_strikes_the_calls_that_it_names(bench, tmp_path, fault, failing, struck):
    given = dict(zip(("classes", "error", "first", "every"), fault))
    done, failed, what, size = steps(tmp_path, faults.build(bench.directory.parent), given)
    assert done == [failing.get(number, sound) for number, sound in enumerate(SOUND)]
    assert (failed, what) == (len(failing), struck)
    assert size == (8 if "ftruncate" in fault[0] else 2)


def test_a_fault_can_be_the_database_s_alone(bench, tmp_path):
    fault = {"classes": ["create", "writing"], "error": "EIO", "first": 1, "every": 1}
    library = faults.build(bench.directory.parent)
    done, *_ = steps(tmp_path, library, {**fault, "in_vault": True})
    assert [number for number, result in enumerate(done) if result != SOUND[number]] == [11]


def test_a_fault_can_be_the_end_of_the_process(bench):
    fault = faults.Fault(("write",), "kill", 1, 0)
    evidence = bench.run(Case("switch", True, fault))
    assert evidence.act["died"] == -9
    assert judge(evidence) == []


def sound(bench: Bench, operation: str, is_well: bool = True) -> Evidence:
    evidence = bench.run(Case(operation, is_well, NOTHING))
    assert judge(evidence) == []
    return evidence


def test_without_faults_nothing_breaks(bench):
    for case in all_operations():
        evidence = bench.run(case)
        assert judge(evidence) == [], case
        assert evidence.act["failed"] == 0


def all_operations() -> list[Case]:
    from tests.reliability.operations import OPERATIONS

    return [Case(name, is_well, NOTHING) for name in OPERATIONS for is_well in (True, False)]


def revive(user: str, *worlds: str) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        for world in worlds:
            for session in getattr(evidence, world).sessions:
                if session.user == user:
                    session.ended = ""

    return change


def end(user: str) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        for session in evidence.between.sessions:
            if session.user == user:
                session.ended = "somehow"

    return change


def say(**said: Any) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        evidence.act["said"] = said

    return change


def bring_back(user: str) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        mine = [session for session in evidence.before.sessions if session.user == user]
        evidence.look["cookies"][user] = mine[0].sid

    return change


def forget(user: str) -> Callable[[Evidence], None]:
    def change(evidence: Evidence) -> None:
        for cookies in ("cookies", "cookies_renewed"):
            evidence.look.get(cookies, {}).pop(user, None)

    return change


INCOMPLETE = {"error": "logout_incomplete", "message": "the disk failed"}
BREACHES: list[tuple[str, str, list[Callable[[Evidence], None]]]] = [
    ("crash", "login", [lambda e: e.act.pop("said"), lambda e: e.act.update(hung=20)]),
    ("crash", "login", [lambda e: e.act.update(stderr="thread panicked at")]),
    ("crash", "login", [lambda e: e.look.update(died=-11)]),
    ("crash", "login", [say(surprise="KeyError")]),
    ("crash", "login", [say(error="internal_error", message="a bug")]),
    ("late", "login", [lambda e: e.act.update(seconds=7)]),
    ("unusable", "login", [lambda e: e.look.update(reading={"error": "x", "message": ""})]),
    ("quarantine", "login", [lambda e: e.look["audit"].append(["vault_damaged", "", ""])]),
    ("bystander", "login", [forget("bob")]),
    ("bystander", "login", [end("bob")]),
    ("lost", "login", [forget("cy")]),
    ("lost", "logout, warm", [revive("ann", "after")]),
    ("lost", "re-login", [forget("ann")]),
    ("lost", "renew", [end("ann")]),
    ("lost", "drain", [revive("dan", "between", "after")]),
    ("dead", "login", [end("cy")]),
    ("dead", "switch", [lambda e: e.look.update(renewed={"error": "session_expired"})]),
    ("restored", "logout, warm", [bring_back("ann")]),
    ("restored", "logout, warm", [lambda e: e.act.update(after={"ok": {"state": "signed_in"}})]),
    ("restored", "forget", [lambda e: e.look["accounts"].update(ann=True)]),
    ("false word", "logout, warm", [revive("ann", "between")]),
    ("false word", "logout, warm", [say(error="storage_error")]),
    ("false word", "login", [say(error="storage_error")]),
    ("false word", "login", [forget("cy")]),
    ("false word", "drain", [revive("dan", "between")]),
    ("false word", "switch", [say(error="storage_error")]),
    ("false word", "forget", [revive("ann", "between")]),
    ("false word", "logout, warm", [lambda e: e.look["audit"].append(["revoked", "bob", ""])]),
    ("gave up", "logout, warm", [bring_back("ann"), say(**INCOMPLETE)]),
    ("not told", "logout, warm", [revive("ann", "between", "after"), say(**INCOMPLETE)]),
    ("secret", "login", [lambda e: e.act.update(log=e.after.sessions[-1].refresh)]),
    ("secret", "login", [lambda e: e.files.update(x=e.after.sessions[0].sid.encode())]),
]


@pytest.mark.parametrize(("invariant", "operation", "changes"), BREACHES)
def test_the_judge_sees_each_breach(bench, invariant, operation, changes):
    evidence = copy.deepcopy(sound(bench, operation))
    for change in changes:
        change(evidence)
    assert invariant in {breach.invariant for breach in judge(evidence)}


def test_each_invariant_can_break():
    assert {invariant for invariant, *_ in BREACHES} == set(INVARIANTS)


def test_a_shorter_run_has_every_kind_of_fault_for_every_operation(bench):
    cases = all_cases(bench, ["login", "drain"])
    chosen = some(cases, 400)
    assert chosen == some(cases, 400)
    assert len(chosen) == len(set(chosen)) == 400

    def kinds(some_cases: list[Case]) -> set[Case]:
        return {replace(case, fault=replace(case.fault, first=0, every=0)) for case in some_cases}

    assert kinds(chosen) == kinds(cases)


def test_a_known_breach_is_known_for_its_reason_alone():
    killed = Case("renew, rotating", True, faults.Fault(("write",), "kill", 1, 0))
    failed = replace(killed, fault=replace(killed.fault, error="EIO"))
    assert known.reason_for(killed, Breach("dead", ""))
    assert not known.reason_for(killed, Breach("lost", ""))
    assert not known.reason_for(failed, Breach("dead", ""))
    assert all(one.reason for one in known.KNOWN)
    login = (replace(killed, operation="login"), Breach("lost", ""))
    assert known.reason_for(*login)
    assert not known.too_many([login])
    assert known.too_many([login, login])
