"""Requests as they are read from a client and passed on to the web application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import h11

from .answer import Answer
from .site import DRY_RUN
from .stream import Stream

_MAX_HEAD = 256 * 1024
_MAX_BODY = 8 << 20


@dataclass
class Request:
    method: str
    target: str
    # Names in lower case, in the order they came.
    headers: list[tuple[str, str]]
    body: bytes
    # What the client had already sent behind it.
    rest: bytes

    @property
    def host(self) -> str:
        return dict(self.headers).get("host", "").lower()

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @property
    def closes(self) -> bool:
        return dict(self.headers).get("connection", "").lower() == "close"

    def cookie_header(self) -> str:
        return "; ".join(value for name, value in self.headers if name == "cookie")


async def read_request(
    stream: Stream, early: bytes, begun: Callable[[Stream], None]
) -> Request | None:
    """The next request of a connection, whole; None at its end. `begun` is told at its first byte.

    Raises h11.RemoteProtocolError for what is no HTTP/1.
    """
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
    if early:
        parser.receive_data(early)
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            if head and parser.they_are_waiting_for_100_continue:
                await stream.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                parser.send(h11.InformationalResponse(status_code=100, headers=[]))
            data = await stream.read()
            begun(stream)
            if not data:
                return None
            parser.receive_data(data)
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _MAX_BODY:
                raise h11.RemoteProtocolError("body too long")
        elif isinstance(event, h11.EndOfMessage) and head:
            headers = [(n.decode("ascii"), v.decode("latin-1")) for n, v in head.headers]
            target = head.target.decode("latin-1")
            method = head.method.decode("ascii")
            return Request(method, target, headers, bytes(body), parser.trailing_data[0])
        else:
            return None


class Upstream:
    """The web application, one connection a request."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ask(self, request: Request, marks: list[tuple[str, str]] | None = None) -> Answer:
        """Its answer. `marks` are header lines that only the edge may send."""
        drop = ("connection", "transfer-encoding", "content-length", "expect", DRY_RUN)
        headers = [pair for pair in request.headers if pair[0] not in drop] + (marks or [])
        headers += [("connection", "close"), ("content-length", str(len(request.body)))]
        client = h11.Connection(h11.CLIENT)
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
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
        else:
            return answer
