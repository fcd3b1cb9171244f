"""The service's own HTTP servers on loopback: how they are asked, and how one in Python is run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Iterator
from typing import Any

import h11
import uvicorn

from .answer import Answer
from .request import Request
from .service import DRY_RUN

# Not passed on: what belongs to the connection, and what only the front may say.
_DROPPED = {
    *("connection", "transfer-encoding", "content-length", "expect", DRY_RUN, "forwarded"),
    *(f"x-forwarded-{name}" for name in ("for", "host", "port", "prefix", "proto")),
}


class Upstreams:
    """One server a host, one connection a request."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports

    def knows(self, request: Request, port: str) -> bool:
        """Whether its Host header names one of the hosts, at this port; 443 may be left out."""
        return self._port(request) is not None and (_port_of(request) or "443") == port

    async def ask(self, request: Request, scheme: str, *, dry_run: bool = False) -> Answer:
        """The service's answer; 502 when its server is not there."""
        client = h11.Connection(h11.CLIENT)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port(request))
        except OSError:
            print(f"nothing answers for {request.host}", file=sys.stderr)
            return Answer(502)
        headers = [pair for pair in request.headers if pair[0] not in _DROPPED]
        headers += [("x-forwarded-proto", scheme), ("x-forwarded-host", request.host)]
        headers += [(DRY_RUN, "1")] if dry_run else []
        headers += [("connection", "close"), ("content-length", str(len(request.body)))]
        try:
            head = h11.Request(
                method=request.method,
                target=request.target.encode("latin-1"),
                headers=[(n.encode("ascii"), v.encode("latin-1")) for n, v in headers],
            )
            writer.write(client.send(head) or b"")
            writer.write(client.send(h11.Data(data=request.body)) or b"")
            writer.write(client.send(h11.EndOfMessage()) or b"")
            return await _read_answer(client, reader)
        finally:
            writer.close()

    def _port(self, request: Request) -> int | None:
        return self._ports.get(request.host.partition(":")[0])


def _port_of(request: Request) -> str:
    return request.host.partition(":")[2]


async def _read_answer(client: h11.Connection, reader: asyncio.StreamReader) -> Answer:
    answer = Answer(502)
    while True:
        event = client.next_event()
        if event is h11.NEED_DATA:
            client.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            answer = Answer(event.status_code)
            answer.headers = [(n.decode("ascii"), v.decode("latin-1")) for n, v in event.headers]
        elif isinstance(event, h11.Data):
            answer.body += event.data
        elif not isinstance(event, h11.InformationalResponse):
            return answer


class AsgiServer:
    """An ASGI application (Starlette, FastAPI, Django) under uvicorn; lifespan events are off.

    It ends with the event loop. A service that wants it to end before, and its port closed, calls
    stop(); start() then takes the same port again.
    """

    def __init__(self, application: Any, port: int = 0) -> None:
        self._application = application
        self.port = port
        self._running: tuple[_Server, socket.socket, asyncio.Task[None]] | None = None

    async def start(self) -> int:
        """Its port, which takes connections from now on."""
        if self._running is None:
            listener = _bind(self.port)
            self.port = listener.getsockname()[1]
            config = uvicorn.Config(
                self._application,
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                http="h11",
                ws="none",
                h11_max_incomplete_event_size=256 * 1024,
            )
            logging.getLogger("uvicorn.error").addFilter(_is_no_end)
            server = _Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            self._running = server, listener, task
        return self.port

    async def stop(self) -> None:
        """Close its port and its connections."""
        if self._running is not None:
            (server, listener, task), self._running = self._running, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            for one in getattr(server, "servers", []):
                one.close()
            listener.close()
            for connection in list(server.server_state.connections):
                connection.transport.abort()


async def serve_asgi(application: Any, port: int = 0) -> int:
    """Run an ASGI application until the stand-in ends. Its port on 127.0.0.1."""
    return await AsgiServer(application, port).start()


class _Server(uvicorn.Server):
    """uvicorn without its own ideas about signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _is_no_end(record: logging.LogRecord) -> bool:
    """False for the complaint about a request that was under way when the stand-in ended."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError)


def _bind(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    return listener
