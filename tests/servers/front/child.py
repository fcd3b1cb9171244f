"""A server that nobody here wrote, as a process on a port of 127.0.0.1 that it is told to take."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from . import watch

# Below those that the system gives to clients, and not the edge's.
PORTS = range(15_000, 20_000)
_START = 60


class Child:
    """`command` makes the command line for a port. What it prints goes to `log`, or without one to
    where the stand-in itself complains.
    """

    def __init__(
        self, command: Callable[[int], list[str]], log: Path | None = None, **environment: str
    ) -> None:
        self._command = command
        self._log = log
        self._environment = {**os.environ, **environment}
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    async def start(self) -> int:
        """Its port, which takes connections from now on: the same again after a stop()."""
        for _ in range(3):
            self.port = self.port or _free_port()
            if await self._comes_up():
                return self.port
            self.port = 0
        raise RuntimeError(f"its server does not start; {self._log or 'the log'} says why")

    async def _comes_up(self) -> bool:
        """False when it ended instead, as it does when somebody was faster to take the port."""
        with self._printed() as log:
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable,
                watch.__file__,
                *self._command(self.port),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        ends = asyncio.get_running_loop().time() + _START
        while process.returncode is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return True
            if asyncio.get_running_loop().time() > ends:
                await self.stop()
                break
            await asyncio.sleep(0.05)
        return False

    def _printed(self) -> IO[bytes] | contextlib.nullcontext[IO[bytes]]:
        # Not standard output: that is the stand-in's one line.
        return self._log.open("ab") if self._log else contextlib.nullcontext(sys.stderr.buffer)

    async def stop(self) -> None:
        """As a power failure would: it must find everything in its files again."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()


def _free_port() -> int:
    for port in random.sample(PORTS, 100):
        with contextlib.suppress(OSError), socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")
