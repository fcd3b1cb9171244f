"""A process that processes.py starts: it opens a keeper and does what each line says.

With an argument, the options of open(), a line is a verb, and is answered by a line. Without one a
line is {"options", "verb", "kill_after"}: a copy of this process does it, and is killed then.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any, Callable

import sessionkeeper
from sessionkeeper import loading

VERBS: dict[str, Callable[[sessionkeeper.Keeper], Any]] = {
    "restore": lambda keeper: keeper.restore() is not None,
    "renew": lambda keeper: keeper.renew().expires_at,
    "logout": lambda keeper: keeper.logout().remote,
    "drain": lambda keeper: keeper.drain().revoked,
}


def do(keeper: sessionkeeper.Keeper, verb: str) -> dict[str, Any]:
    try:
        return {"value": VERBS[verb](keeper)}
    except sessionkeeper.Error as error:
        return {"error": error.code}


def say(value: Any) -> None:
    print(json.dumps(value), flush=True)


def serve(options: dict[str, Any]) -> None:
    keeper = sessionkeeper.open(**options)
    say("ready")
    for line in sys.stdin:
        say(do(keeper, line.strip()))


def multiply() -> None:
    loading.native()
    say("ready")
    for line in sys.stdin:
        wanted = json.loads(line)
        ready, begins = os.pipe()
        pid = os.fork()
        if pid == 0:
            keeper = sessionkeeper.open(**wanted["options"])
            keeper.status()
            os.write(begins, b".")
            do(keeper, wanted["verb"])
            os._exit(0)
        os.read(ready, 1)
        start = time.monotonic()
        if wanted["kill_after"] is not None:
            time.sleep(wanted["kill_after"])
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.close(ready)
        os.close(begins)
        say({"seconds": time.monotonic() - start, "killed": os.WIFSIGNALED(status)})


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(json.loads(sys.argv[1]))
    else:
        multiply()
