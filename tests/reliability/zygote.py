"""A process that has everything imported and forks one for each piece of work: what a case runs in
is fresh, and costs milliseconds. It reads one line of JSON for each, and answers with one.

It opens no keeper itself: the module's threads would not survive a fork.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sessionkeeper.loading import native
from tests.reliability import operations
from tests.reliability.faults import Fault

# Seconds. After these a process is ended; what takes half as long is judged to be late.
LIMIT = 20.0


def main() -> None:
    native()
    ctypes.CDLL(None)
    # What the package imports when it is first asked for it.
    for name in ("keeper", "open", "records", "reports", "session", "errors"):
        importlib.import_module(f"sessionkeeper.{name}")

    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_in_child(json.loads(line))), flush=True)


def _in_child(work: dict[str, Any]) -> dict[str, Any]:
    result, writing = os.pipe()
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.close(result)
            os.dup2(errors.fileno(), 2)
            _work(work, writing)
        os.close(writing)
        answer = _read(result, child)
        errors.seek(0)
        answer["stderr"] = errors.read().decode("utf-8", "replace")
    return answer


def _work(work: dict[str, Any], writing: int) -> None:
    """Never returns."""
    try:
        root, name = Path(work["root"]), work["name"]
        if work["do"] == "act":
            done = operations.act(root, name, Fault(**work["fault"]))
        elif work["do"] == "look":
            done = operations.look(root, name)
        else:
            done = operations.prepare(root, work["kind"], name)
        data = json.dumps(done).encode()
        while data:
            data = data[os.write(writing, data) :]
        os._exit(0)
    except BaseException:  # noqa: BLE001 - nothing may get back into the zygote
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(1)


def _read(result: int, child: int) -> dict[str, Any]:
    data, end = b"", time.monotonic() + LIMIT
    is_over = False
    while not is_over:
        left = end - time.monotonic()
        if left <= 0 or not select.select([result], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
            break
        part = os.read(result, 1 << 16)
        data, is_over = data + part, not part
    os.close(result)
    _, status = os.waitpid(child, 0)
    if not is_over:
        return {"hung": LIMIT}
    if status != 0:
        return {"died": os.waitstatus_to_exitcode(status)}
    answer: dict[str, Any] = json.loads(data)
    return answer


if __name__ == "__main__":
    main()
