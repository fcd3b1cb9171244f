"""What arrived: every request, also those that a fault answered or an unknown host received.

Tests count here, so nothing is left out and nothing is changed later but the answer.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .request import Request

_SECRET_HEADERS = (
    *("cookie", "authorization", "proxy-authorization"),
    *("x-plex-token", "x-emby-token", "x-mediabrowser-token", "x-emby-authorization"),
)

# What services call a field with a password; "Pw" is Jellyfin's and Emby's.
_PASSWORDS = {"password", "Pw"}


@dataclass
class Entry:
    seq: int
    at: float
    # "http" is a request in the clear, which a client should never send.
    scheme: str
    host: str
    method: str
    path: str
    query: dict[str, str]
    # Names and values; secrets as "[present]".
    headers: dict[str, str]
    cookies: list[str]
    has_password: bool
    # A body's field or a cookie of this name.
    has_refresh_token: bool
    # The body's field of this name, for OAuth; else empty.
    grant_type: str
    # The headers have an access token, in the way of the service.
    bearer: bool = False
    # The session the credentials ever belonged to, dead or alive.
    session: str | None = None
    # The status, or the name of the fault; None while the answer is not out.
    answer: int | str | None = None
    # Which connection of the edge it came on: equal numbers mean keep-alive.
    connection: int = 0
    # After how many seconds the client hung up on a fault that kept it waiting.
    left_after: float | None = None


@dataclass
class Connection:
    """A connection that brought no request: refused, or given up in the TLS handshake."""

    seq: int
    at: float
    host: str
    ended: str


@dataclass
class Journal:
    requests: list[Entry] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    _seq: int = 0

    def add(self, request: Request, scheme: str, connection: int) -> Entry:
        self._seq += 1
        cookies, fields = request.cookies(), request.body_fields()
        entry = Entry(
            seq=self._seq,
            at=time.time(),
            scheme=scheme,
            host=request.host,
            method=request.method,
            path=urlsplit(request.target).path,
            query=request.query_fields(),
            headers={n: "[present]" if n in _SECRET_HEADERS else v for n, v in request.headers},
            cookies=sorted(cookies),
            has_password=not _PASSWORDS.isdisjoint({**request.query_fields(), **fields}),
            has_refresh_token="refresh_token" in {**cookies, **fields},
            grant_type=fields.get("grant_type", ""),
            connection=connection,
        )
        self.requests.append(entry)
        return entry

    def add_connection(self, host: str, ended: str) -> None:
        self._seq += 1
        self.connections.append(Connection(self._seq, time.time(), host, ended))

    def clear(self) -> None:
        self.requests.clear()
        self.connections.clear()

    def as_dict(self) -> dict[str, Any]:
        return {
            "requests": [asdict(entry) for entry in self.requests],
            "connections": [asdict(one) for one in self.connections],
        }
