"""Command line: starts the edge, the web application and the control interface; prints one line.

Ends at once on SIGTERM or SIGINT and, with --with-parent, when standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from .certificates import Certificates
from .control import Control
from .edge import Edge
from .site import HOSTS, Site
from .store import Store
from .upstream import Upstream


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.servers.angel", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the service; 0 takes a free one")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--directory", type=Path, help="keeps CA, users and sessions")
    parser.add_argument("--with-parent", action="store_true", help="end with standard input")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        directory = options.directory
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.mkdir(parents=True, exist_ok=True)
        asyncio.run(_run(directory, options.port, options.control_port, options.with_parent))


async def _run(directory: Path, port: int, control_port: int, with_parent: bool) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
    if with_parent:
        threading.Thread(target=_wait_for_end, args=(loop, ended), daemon=True).start()

    store = Store(directory)
    certificates = Certificates(directory)
    site_socket, control_socket = _bind(0), _bind(control_port)
    edge = Edge(store, certificates, Upstream(site_socket.getsockname()[1]))
    tasks = [
        asyncio.create_task(_serve(Site(store).application(), site_socket)),
        asyncio.create_task(_serve(Control(store, edge).application(), control_socket)),
    ]
    await edge.listen(port)
    if not store.settings.listening:
        await edge.follow_settings()
    ready = {
        "port": edge.port,
        "control": f"http://127.0.0.1:{control_socket.getsockname()[1]}",
        "ca_file": str(certificates.ca_file.resolve()),
        "resolve": [f"{host}:{edge.port}:127.0.0.1" for host in HOSTS],
    }
    print(json.dumps(ready), flush=True)
    await ended.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Server(uvicorn.Server):
    """uvicorn without its own ideas about signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(application: Starlette, listener: socket.socket) -> None:
    config = uvicorn.Config(
        application,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        http="h11",
        ws="none",
        h11_max_incomplete_event_size=256 * 1024,
    )
    await _Server(config).serve(sockets=[listener])


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener


def _wait_for_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    # os.read and not sys.stdin: a buffered reader that still waits upsets the interpreter's end.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(ended.set)


if __name__ == "__main__":
    main()
