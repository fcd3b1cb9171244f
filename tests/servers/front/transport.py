"""Faults below proper HTTP: cut, stalled, malformed, oversized or endless answers.

Each is given the answer that would have been true, mostly a logout's with its whole proof, and
spoils how it travels. The connection is over afterwards.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

from .answer import Answer
from .stream import Stream

Fault = Callable[[Stream, Answer, dict[str, Any]], Awaitable[None]]

_MIB = 1 << 20


async def _reset(stream: Stream, _: Answer, __: dict[str, Any]) -> None:
    await stream.reset()


async def _nothing(_: Stream, __: Answer, ___: dict[str, Any]) -> None:
    """The connection is closed by the caller."""


async def _hang(stream: Stream, _: Answer, __: dict[str, Any]) -> None:
    await stream.until_client_leaves()


def _cut(take: Callable[[Answer], bytes], *, reset: bool) -> Fault:
    """Send the first part of an answer; then reset, or say no more."""

    async def fault(stream: Stream, answer: Answer, _: dict[str, Any]) -> None:
        await stream.write(take(answer))
        if reset:
            await stream.reset()
        else:
            await stream.until_client_leaves()

    return fault


def _spoilt(spoil: Callable[[Answer, dict[str, Any]], bytes]) -> Fault:
    """Send bytes made from the answer, then end in order."""

    async def fault(stream: Stream, answer: Answer, p: dict[str, Any]) -> None:
        await stream.write(spoil(answer, p))

    return fault


def _half_head(answer: Answer) -> bytes:
    head = answer.head(close=True, length=len(answer.body))
    return head[: len(head) // 2]


def _half_body(answer: Answer) -> bytes:
    body = answer.body or b"0123456789" * 20
    return answer.head(close=True, length=len(body)) + body[: len(body) // 2]


async def _truncated(stream: Stream, answer: Answer, _: dict[str, Any]) -> None:
    await stream.write(_half_body(answer))
    stream.close(notify=False)


def _with_lines(answer: Answer, lines: bytes) -> bytes:
    """The answer with raw header lines behind its own."""
    length = len(answer.body)
    head = answer.status_line() + answer.header_lines(close=True, length=length)
    return head + lines + b"\r\n" + answer.body


def _bad_status_line(answer: Answer, p: dict[str, Any]) -> bytes:
    line = str(p.get("line", "HTTP/1.1 Found 302")).encode("latin-1")
    return line + b"\r\n" + answer.bytes(close=True).split(b"\r\n", 1)[1]


def _two_lengths(answer: Answer, _: dict[str, Any]) -> bytes:
    return _with_lines(answer, b"content-length: %d\r\n" % (len(answer.body) + 7))


def _length_and_chunks(answer: Answer, _: dict[str, Any]) -> bytes:
    chunked = Answer(answer.status, answer.headers, b"%x\r\n" % len(answer.body) + answer.body)
    chunked.body += b"\r\n0\r\n\r\n"
    return _with_lines(chunked, b"transfer-encoding: chunked\r\n")


def _bare_lf(answer: Answer, _: dict[str, Any]) -> bytes:
    head = answer.head(close=True, length=len(answer.body))
    return head.replace(b"\r\n", b"\n") + answer.body


def _http_09(answer: Answer, _: dict[str, Any]) -> bytes:
    return answer.body or b"<html>signed out</html>"


def _header_1mib(answer: Answer, p: dict[str, Any]) -> bytes:
    return _with_lines(answer, b"x-filler: " + b"x" * int(p.get("size", _MIB)) + b"\r\n")


def _headers_10000(answer: Answer, p: dict[str, Any]) -> bytes:
    count = int(p.get("count", 10_000))
    return _with_lines(answer, b"".join(b"x-filler-%d: x\r\n" % n for n in range(count)))


async def _slow_loris(stream: Stream, answer: Answer, p: dict[str, Any]) -> None:
    for byte in answer.bytes(close=True):
        await stream.write(bytes([byte]))
        await asyncio.sleep(float(p.get("interval", 1)))


async def _endless(stream: Stream, answer: Answer, p: dict[str, Any]) -> None:
    """Chunks without end; `size` bytes at most, so that a client that reads all is let go."""
    lines = answer.header_lines(close=True, length=None)
    await stream.write(answer.status_line() + lines + b"transfer-encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    for _ in range(int(p.get("size", 1 << 30)) // 65536):
        await stream.write(chunk)


async def _large(stream: Stream, answer: Answer, p: dict[str, Any]) -> None:
    """The same, and that is the whole body."""
    await _endless(stream, answer, p)
    await stream.write(b"0\r\n\r\n")


async def _gzip_bomb(stream: Stream, answer: Answer, p: dict[str, Any]) -> None:
    """`size` bytes of zeros, about 1:1000; with `layers` 2 packed twice."""
    layers = int(p.get("layers", 1))
    body = await asyncio.to_thread(_packed, int(p.get("size", 64 * _MIB)), layers)
    bomb = Answer(int(p.get("status", answer.status)), list(answer.headers), body)
    bomb.set("content-encoding", ", ".join(["gzip"] * layers))
    await stream.write(bomb.bytes(close=True))


def _packed(size: int, layers: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(bytes(_MIB)) for _ in range(max(1, size // _MIB)))
    packed += packer.flush()
    for _ in range(layers - 1):
        again = zlib.compressobj(9, wbits=31)
        packed = again.compress(packed) + again.flush()
    return packed


def _raw(_: Answer, p: dict[str, Any]) -> bytes:
    return str(p.get("answer", "")).encode("latin-1")


TRANSPORT: dict[str, Fault] = {
    "reset_after_read": _reset,
    "ended_but_reset": _reset,
    "fin_without_answer": _nothing,
    "hang": _hang,
    "mid_headers_reset": _cut(_half_head, reset=True),
    "mid_body_reset": _cut(_half_body, reset=True),
    "truncated": _truncated,
    "stall_headers": _cut(_half_head, reset=False),
    "stall_body": _cut(_half_body, reset=False),
    "100_continue_only": _spoilt(lambda _, __: b"HTTP/1.1 100 Continue\r\n\r\n"),
    "103_then_reset": _cut(
        lambda _: b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n", reset=True
    ),
    "slow_loris": _slow_loris,
    "malformed_status_line": _spoilt(_bad_status_line),
    "two_content_lengths": _spoilt(_two_lengths),
    "cl_and_te": _spoilt(_length_and_chunks),
    "header_1mib": _spoilt(_header_1mib),
    "headers_10000": _spoilt(_headers_10000),
    "obs_fold": _spoilt(lambda a, _: _with_lines(a, b"x-folded: one\r\n two\r\n")),
    "nul_in_header": _spoilt(lambda a, _: _with_lines(a, b"x-nul: a\0b\r\n")),
    "bare_lf": _spoilt(_bare_lf),
    "http09": _spoilt(_http_09),
    "body_endless": _endless,
    "large_body": _large,
    "gzip_bomb": _gzip_bomb,
    "raw": _spoilt(_raw),
}
