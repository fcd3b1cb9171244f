"""The command line of every stand-in: starts service, edge and control, and prints one line.

Ends at once on SIGTERM or SIGINT and, with --with-parent, when standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from .certificates import Certificates
from .control import Control
from .edge import Edge
from .service import Service, parameters_of
from .settings import AllSettings, FrontSettings
from .upstreams import Upstreams, serve_asgi

MakeService = Callable[[Path], Service]


def main(name: str, make_service: MakeService) -> None:
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.servers {name}",
        description="A stand-in server; see tests/servers/README.md.",
    )
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
        work = _run(
            make_service, directory, options.port, options.control_port, options.with_parent
        )
        asyncio.run(work)


async def _run(
    make_service: MakeService, directory: Path, port: int, control_port: int, with_parent: bool
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
    if with_parent:
        threading.Thread(target=_wait_for_end, args=(loop, ended), daemon=True).start()

    service = make_service(directory)
    front = FrontSettings()
    settings = AllSettings(directory / "front.json", front, service.settings)
    certificates = Certificates(directory, service.hosts)
    try:
        upstreams = Upstreams(await service.start())
        edge = Edge(service, front, certificates, upstreams)
        await edge.listen(port)
        if not front.listening:
            await edge.follow_settings()
        control = await serve_asgi(Control(service, settings, edge).application(), control_port)
        ready = {
            "port": edge.port,
            "control": f"http://127.0.0.1:{control}",
            "ca_file": str(certificates.ca_file.resolve()),
            "resolve": [f"{host}:{edge.port}:127.0.0.1" for host in service.hosts],
            "parameters": parameters_of(service, edge.port),
        }
        print(json.dumps(ready), flush=True)
        await ended.wait()
        await edge.close()
    finally:
        await service.stop()


def _wait_for_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    # os.read and not sys.stdin: a buffered reader that still waits upsets the interpreter's end.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(ended.set)
