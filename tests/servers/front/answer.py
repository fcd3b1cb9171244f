"""An HTTP answer as plain data, and its form on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

_FRAMING = ("connection", "content-length", "transfer-encoding", "keep-alive")


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def set(self, name: str, value: str) -> None:
        self.remove(name)
        self.headers.append((name, value))

    def remove(self, name: str) -> None:
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]

    def status_line(self) -> bytes:
        try:
            reason = HTTPStatus(self.status).phrase
        except ValueError:
            reason = "Unknown"
        return f"HTTP/1.1 {self.status} {reason}\r\n".encode("ascii")

    def header_lines(self, *, close: bool, length: int | None) -> bytes:
        """All header lines, without the empty one; `length` None leaves Content-Length out."""
        pairs = [pair for pair in self.headers if pair[0].lower() not in _FRAMING]
        if not any(name.lower() == "date" for name, _ in pairs):
            pairs.append(("date", formatdate(usegmt=True)))
        if length is not None:
            pairs.append(("content-length", str(length)))
        if close:
            pairs.append(("connection", "close"))
        # Latin-1 and unchecked: some faults need what a proper server would refuse to send.
        return "".join(f"{name}: {value}\r\n" for name, value in pairs).encode("latin-1")

    def head(self, *, close: bool, length: int | None = None) -> bytes:
        return self.status_line() + self.header_lines(close=close, length=length) + b"\r\n"

    def bytes(self, *, close: bool, method: str = "GET") -> bytes:
        if method == "HEAD" or self.status in (204, 304):
            return self.head(close=close)
        return self.head(close=close, length=len(self.body)) + self.body
