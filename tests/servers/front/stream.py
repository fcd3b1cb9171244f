"""One connection, with TLS done over memory buffers instead of by asyncio.

That leaves everything a fault needs in our hands: the certificate per host name, a handshake that
stops half way, an end without close_notify, a reset instead of an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Sequence

from .certificates import empty_context

_CHUNK = 65536


class Stream:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        # drain() then waits until all is with the system, so that a reset comes after the data.
        writer.transport.set_write_buffer_limits(0)
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._early = b""
        self.host = ""
        self.bytes_sent = 0

    @property
    def encrypted(self) -> bool:
        return self._tls is not None

    async def tunnel(self, hosts: Sequence[str]) -> bool:
        """Be the proxy of a client that takes us for one: it gets its tunnel (RFC 9110 9.3.6),
        which ends here. False when it wants to get to a host that is not one of `hosts`.
        """
        self._early = await self._reader.read(_CHUNK)
        if not self._early.startswith(b"CONNECT "):
            return True
        while b"\r\n\r\n" not in self._early:
            data = await self._reader.read(_CHUNK)
            if not data:
                return False
            self._early += data
        target = self._early.split(b" ")[1].decode("latin-1")
        self._early = b""
        known = target.rpartition(":")[0] in hosts
        self._writer.write(b"HTTP/1.1 %s\r\n\r\n" % (b"200 OK" if known else b"403 Forbidden"))
        await self._writer.drain()
        return known

    async def hello(self) -> bool:
        """Read the ClientHello, to know the name it asks for. Nothing is answered yet.

        False when the client speaks no TLS, or left without a word.
        """
        probe_in = ssl.MemoryBIO()
        probe = self._probe().wrap_bio(probe_in, ssl.MemoryBIO(), server_side=True)
        data, self._early = self._early, b""
        while True:
            data = data or await self._reader.read(_CHUNK)
            self._early += data
            if not data or self._early[:1] != b"\x16":
                return False
            probe_in.write(data)
            data = b""
            try:
                probe.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLError:
                return True

    def _probe(self) -> ssl.SSLContext:
        """A context that notes the server name and then gives up."""

        def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> int:
            self.host = name or ""
            return ssl.AlertDescription.ALERT_DESCRIPTION_USER_CANCELLED

        context = empty_context()
        context.sni_callback = note
        return context

    async def handshake(self, context: ssl.SSLContext) -> None:
        """Raises ssl.SSLError or ConnectionError when the client does not like us."""
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._in.write(self._early)
        self._early = b""
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._flush()
                await self._fill()
            finally:
                # An alert, too, wants to be sent.
                self._writer.write(self._out.read())
        await self._flush()

    async def read(self) -> bytes:
        """Some bytes from the client; none at its end."""
        if self._tls is None:
            early, self._early = self._early, b""
            return early or await self._reader.read(_CHUNK)
        while True:
            try:
                return self._tls.read(_CHUNK)
            except ssl.SSLWantReadError:
                await self._flush()
                try:
                    await self._fill()
                except ConnectionError:
                    return b""
            except ssl.SSLError:
                return b""

    async def write(self, data: bytes) -> None:
        self.bytes_sent += len(data)
        if self._tls is None:
            self._writer.write(data)
        else:
            for start in range(0, len(data), _CHUNK):
                self._tls.write(data[start : start + _CHUNK])
        await self._flush()

    async def until_client_leaves(self) -> None:
        while await self._reader.read(_CHUNK):
            pass

    def close(self, *, notify: bool = True) -> None:
        """End in order: close_notify, then FIN. Without `notify` it is FIN alone (truncation)."""
        if self._tls is not None and notify:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._writer.write(self._out.read())
        self._writer.close()

    async def reset(self) -> None:
        """End with RST. What was written before is given the time to be read by the client."""
        if self.bytes_sent:
            await asyncio.sleep(0.03)
        end: socket.socket = self._writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def _fill(self) -> None:
        data = await self._reader.read(_CHUNK)
        if not data:
            raise ConnectionResetError("the client left")
        self._in.write(data)

    async def _flush(self) -> None:
        if self._out.pending:
            self._writer.write(self._out.read())
        await self._writer.drain()
