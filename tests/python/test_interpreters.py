"""Kodi makes a new interpreter for each invocation; here the same in plain CPython.

The interpreters are made as Kodi makes them, sharing one GIL, one after another and in a process of
their own. Each imports the package, finds the session that the first one opened, and goes.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import sessionkeeper

CYCLES = 300

IMPORT = """
import sys
sys.path.insert(0, path)
import sessionkeeper
"""

WORK = """
keeper = sessionkeeper.open("angel", data_dir=directory, key_dir=directory + "/keys")
assert keeper.status().state == "signed_out"
assert keeper.logout().remote == "nothing_to_revoke"
try:
    keeper.renew()
except sessionkeeper.NotSignedIn as error:
    assert error.code == "not_signed_in", error.code
else:
    raise AssertionError("nobody is logged in")
"""

HOST = r"""
import json, sys

path, directory, cycles, body = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
BODY = "path, directory = %r, %r\n%s" % (path, directory, body)

# As Py_NewInterpreter makes them: one GIL for all, nothing isolated.
if sys.version_info >= (3, 13):
    import _interpreters
    create, destroy = lambda: _interpreters.create("legacy"), _interpreters.destroy
    def run(interpreter):
        failure = _interpreters.exec(interpreter, BODY)
        assert failure is None, failure
else:
    import _xxsubinterpreters as _interpreters
    shared = {"isolated": False} if sys.version_info >= (3, 9) else {}
    create = lambda: _interpreters.create(**shared)
    run, destroy = lambda one: _interpreters.run_string(one, BODY), _interpreters.destroy

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

sizes = []
for cycle in range(cycles):
    interpreter = create()
    run(interpreter)
    destroy(interpreter)
    sizes.append(resident())
print(json.dumps(sizes))
"""


def growth(package_root: pathlib.Path, directory: pathlib.Path, body: str) -> int:
    """Runs `body` in all the interpreters; how many bytes the process grew over the last 200."""
    command = [sys.executable, "-W", "ignore", "-c", HOST]
    command += [str(package_root), str(directory), str(CYCLES), body]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    sizes: list[int] = json.loads(done.stdout)
    assert len(sizes) == CYCLES
    return sizes[-1] - sizes[-201]


def test_300_interpreters_in_one_process(tmp_path: pathlib.Path) -> None:
    package_root = pathlib.Path(sessionkeeper.__file__).parent.parent
    grown = growth(package_root, tmp_path, IMPORT + WORK)
    if sys.version_info >= (3, 12):
        # CPython itself leaks some 100 KiB an interpreter since 3.12, whatever it imports.
        grown -= growth(package_root, tmp_path, IMPORT)
    assert grown < 1024 * 1024, f"{grown} bytes over the last 200"
