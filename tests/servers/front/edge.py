"""The TLS edge: takes every connection, journals every request, and is where faults happen.

A request that no fault meets is handed to the service (HTTP on loopback) and its answer is passed
back unchanged, connections kept alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import random
import ssl
from typing import Any

import h11

from .answer import Answer
from .certificates import Certificates
from .distortions import BLIND, DISTORTIONS, Asked
from .faults import CONNECTION, Faults, Rule
from .journal import Entry, Journal
from .request import Request, read_request
from .service import Rehearsal, Service, is_plain
from .settings import FrontSettings
from .stream import Stream
from .transport import TRANSPORT
from .upstreams import Upstreams

# Not those that the system gives to clients: one of these may be somebody's when a server that was
# stopped listens on it again.
OWN_PORTS = range(20_000, 32_000)


class Edge:
    def __init__(
        self,
        service: Service,
        settings: FrontSettings,
        certificates: Certificates,
        upstreams: Upstreams,
    ) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self._service = service
        self._settings = settings
        self._certificates = certificates
        self._upstreams = upstreams
        self._server: asyncio.Server | None = None
        self._idle: set[Stream] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connections = 0
        self.port = 0

    # Listening

    async def listen(self, port: int) -> None:
        self._server = await self._server_at(port) if port else await self._server_anywhere()
        self.port = self._server.sockets[0].getsockname()[1]

    async def _server_anywhere(self) -> asyncio.Server:
        for port in random.sample(OWN_PORTS, 100):
            with contextlib.suppress(OSError):
                return await self._server_at(port)
        return await self._server_at(0)

    async def _server_at(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", port, backlog=256)

    async def follow_settings(self) -> None:
        """After a change of settings: open or close the port, let new certificates be seen."""
        self.close_idle()
        if self._settings.listening and self._server is None:
            await self.listen(self.port)
        elif not self._settings.listening and self._server is not None:
            self._server.close()
            self._server = None

    async def close(self) -> None:
        """The end: no connection is left, and none is taken."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def add_fault(self, wanted: dict[str, Any]) -> Rule:
        rule = self.faults.add(wanted)
        if rule.fault in CONNECTION:
            self.close_idle()
        return rule

    def close_idle(self) -> None:
        """End the connections that wait for a next request, so that the next one is new."""
        for stream in list(self._idle):
            stream.close()

    # A connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = Stream(reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if await self._admit(stream):
                self._connections += 1
                await self._serve_requests(stream, self._connections)
        except (ConnectionError, ssl.SSLError):
            # The client went away, which is its right.
            pass
        except asyncio.CancelledError:
            # The server ends: clients see the end of the connection, nothing else.
            pass
        finally:
            self._tasks.discard(task)
            stream.close()

    async def _admit(self, stream: Stream) -> bool:  # noqa: PLR0911 (one for each way out)
        """Everything before the first request. False: the connection is over."""
        rule = self.faults.for_connection(None)
        if rule:
            self.journal.add_connection("", rule.fault)
            return False
        if not await stream.tunnel(self._service.hosts):
            return False
        if not await stream.hello():
            return True
        rule = self.faults.for_connection(stream.host)
        fault = rule.fault if rule else ""
        tls = fault[4:] if fault.startswith("tls_") else self._settings.tls
        if fault == "stall_handshake" or tls == "stall_handshake":
            self.journal.add_connection(stream.host, "stall_handshake")
            await stream.until_client_leaves()
            return False
        if fault == "refuse":
            self.journal.add_connection(stream.host, fault)
            return False
        try:
            await stream.handshake(self._certificates.context(tls, stream.host))
        except (ssl.SSLError, ConnectionError) as error:
            reason = getattr(error, "reason", None) or "the client left"
            self.journal.add_connection(stream.host, f"handshake: {reason}")
            return False
        if fault == "reset_before":
            self.journal.add_connection(stream.host, fault)
            await stream.reset()
            return False
        return True

    async def _serve_requests(self, stream: Stream, number: int) -> None:
        early = b""
        while True:
            self._idle.add(stream)
            try:
                request = await read_request(stream, early, self._idle.discard)
            except h11.RemoteProtocolError:
                await stream.write(Answer(400).bytes(close=True))
                return
            finally:
                self._idle.discard(stream)
            if request is None:
                return
            early = request.rest
            entry = await self._journal(request, stream, number)
            if not await self._answer(request, entry, stream):
                return

    # A request

    async def _journal(self, request: Request, stream: Stream, connection: int) -> Entry:
        scheme = "https" if stream.encrypted else "http"
        entry = self.journal.add(request, scheme, connection)
        fields = {**request.query_fields(), **request.body_fields()}
        token = self._service.credential(dict(request.headers))
        entry.bearer = token is not None
        found = self._service.trace(request.cookies(), token, fields)
        entry.session = await found if inspect.isawaitable(found) else found
        return entry

    async def _answer(self, request: Request, entry: Entry, stream: Stream) -> bool:
        """Answer one request; True when the connection may serve another."""
        rule = self.faults.for_request(entry.host, entry.path)
        if rule is None:
            answer = await self._true_answer(request, stream)
            entry.answer = answer.status
            await stream.write(answer.bytes(close=request.closes, method=request.method))
            return not request.closes
        entry.answer = rule.fault
        return await self._spoil(rule, request, entry, stream)

    async def _spoil(self, rule: Rule, request: Request, entry: Entry, stream: Stream) -> bool:
        name = rule.fault.partition(":")[0]
        answer = Answer(200)
        if rule.ends or name not in BLIND:
            answer = await self._true_answer(request, stream, dry_run=not rule.ends)
        if "delay" in rule.parameters or name == "delay":
            await asyncio.sleep(float(rule.parameters.get("delay", 1)))
        if name in DISTORTIONS:
            asked = Asked(request.host, entry.path, request.query, self._service.hosts[0])
            answer = DISTORTIONS[name](answer, asked, rule.parameters)
            if "date" in rule.parameters:
                answer.set("date", str(rule.parameters["date"]))
            await stream.write(answer.bytes(close=request.closes, method=request.method))
            return not request.closes
        start = asyncio.get_running_loop().time()
        try:
            await TRANSPORT[name](stream, answer, rule.parameters)
        finally:
            entry.left_after = round(asyncio.get_running_loop().time() - start, 3)
        return False

    async def _true_answer(
        self, request: Request, stream: Stream, *, dry_run: bool = False
    ) -> Answer:
        port = "443" if stream.encrypted else str(self.port)
        served = not self._service.plain if stream.encrypted else is_plain(self._service)
        if served and self._upstreams.knows(request, port):
            scheme = "https" if stream.encrypted or self._service.plain else "http"
            if dry_run and isinstance(self._service, Rehearsal):
                return await self._service.rehearse(
                    request, lambda one: self._upstreams.ask(one, scheme)
                )
            return await self._upstreams.ask(request, scheme, dry_run=dry_run)
        # In the clear where TLS is wanted, or for a host or a port that is not ours.
        return Answer(421, [], b"misdirected\n")
