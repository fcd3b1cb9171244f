"""The shop as a developer runs it: http://localhost, without TLS.

    python -m tests.servers.linxup --plain [--port N] [--control-port N] [--directory D]

prints one JSON line with "base", beside all that the front prints. Journal, faults and control are
the front's. The cookies are those of production (Secure, SameSite=None) until the setting
`development` is true. From a test: StandIn("linxup.plain").
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
from pathlib import Path

from tests.servers.front.answer import Answer
from tests.servers.front.certificates import Certificates
from tests.servers.front.control import Control
from tests.servers.front.edge import Edge
from tests.servers.front.request import Request
from tests.servers.front.settings import AllSettings, FrontSettings
from tests.servers.front.stream import Stream
from tests.servers.front.upstreams import Upstreams, serve_asgi

from .service import HOST, Linxup


class PlainEdge(Edge):
    """The front's edge, the other way round: only what comes in the clear is answered."""

    async def _true_answer(
        self, request: Request, stream: Stream, *, dry_run: bool = False
    ) -> Answer:
        if not stream.encrypted and self._upstreams.knows(request):
            return await self._upstreams.ask(request, dry_run=dry_run)
        return Answer(421, [], b"misdirected\n")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.servers.linxup --plain")
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help="of the service; 0 takes a free one")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--directory", type=Path, help="keeps users and sessions")
    parser.add_argument("--with-parent", action="store_true", help="end with standard input")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        directory = options.directory
        if directory is None:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        directory.mkdir(parents=True, exist_ok=True)
        asyncio.run(_run(directory, options.port, options.control_port, options.with_parent))


async def _run(directory: Path, port: int, control_port: int, with_parent: bool) -> None:
    service = Linxup(directory)
    front = FrontSettings()
    settings = AllSettings(directory / "front.json", front, service.settings)
    certificates = Certificates(directory, ("localhost",))
    storefront = (await service.start())[HOST]
    hosts: dict[str, int] = {}
    edge = PlainEdge(service, front, certificates, Upstreams(hosts))
    await edge.listen(port)
    hosts.update({f"{name}:{edge.port}": storefront for name in ("localhost", "127.0.0.1")})
    await edge.follow_settings()
    control = await serve_asgi(Control(service, settings, edge).application(), control_port)
    service.parameters["base"] = f"http://localhost:{edge.port}"
    ready = {
        "base": service.parameters["base"],
        "port": edge.port,
        "control": f"http://127.0.0.1:{control}",
        "ca_file": str(certificates.ca_file.resolve()),
        "resolve": [f"localhost:{edge.port}:127.0.0.1"],
        "parameters": service.parameters,
    }
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not loop.add_signal_handler: Windows has none.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(ended.set))
    if with_parent:
        threading.Thread(target=_wait_for_end, args=(loop, ended), daemon=True).start()
    print(json.dumps(ready), flush=True)
    await ended.wait()
    await edge.close()
    await service.stop()


def _wait_for_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    # os.read and not sys.stdin: a buffered reader that still waits upsets the interpreter's end.
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(ended.set)


if __name__ == "__main__":
    main()
