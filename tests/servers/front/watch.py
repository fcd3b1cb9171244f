"""Runs a server that would outlive whoever started it, and ends it with standard input.

    python watch.py COMMAND…

Standard input is held by the stand-in: when that ends, however it ends, so does the server, with
all its processes and at once. When the server ends by itself, this ends with its status.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> None:
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _end_with(server: subprocess.Popen[bytes]) -> None:
    os._exit(server.wait() & 0xFF)


if __name__ == "__main__":
    main(sys.argv[1:])
