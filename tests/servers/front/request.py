"""A request as it is read from a client, and what can be known of it without the service."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import h11

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

    def cookies(self) -> dict[str, str]:
        return parse_cookies("; ".join(v for name, v in self.headers if name == "cookie"))

    def bearer(self) -> str | None:
        return bearer(dict(self.headers))

    def body_fields(self) -> dict[str, str]:
        """The texts among the fields of a form or a JSON object; of a repeated field, or a list in
        JSON, the first.
        """
        text = self.body.decode("utf-8", "replace")
        try:
            value = json.loads(text)
        except ValueError:
            return dict(reversed(parse_qsl(text, keep_blank_values=True)))
        fields = value.items() if isinstance(value, dict) else ()
        first = {name: one[0] if isinstance(one, list) and one else one for name, one in fields}
        return {name: one for name, one in first.items() if isinstance(one, str)}

    def query_fields(self) -> dict[str, str]:
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))


def parse_cookies(header: str) -> dict[str, str]:
    """A Cookie header as names and values, taken as they are; of two with one name the first."""
    found: dict[str, str] = {}
    for pair in header.split(";"):
        name, equals, value = pair.strip().partition("=")
        if equals:
            found.setdefault(name, value)
    return found


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an Authorization header, if it is a bearer token."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _origin_form(target: str) -> str:
    """Without scheme and host, which a client sends in the clear that takes us for its proxy."""
    if not target.startswith("http://"):
        return target
    return "/" + target.removeprefix("http://").partition("/")[2]


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
            target = _origin_form(head.target.decode("latin-1"))
            method = head.method.decode("ascii")
            return Request(method, target, headers, bytes(body), parser.trailing_data[0])
        else:
            return None
