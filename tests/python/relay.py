"""A server that is far away: a relay before it, which delays what passes in either direction."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time


class Relay:
    """Passes each connection on to a port of this machine, every byte late by `one_way` seconds."""

    def __init__(self, port: int, one_way: float) -> None:
        self._to, self._one_way = port, one_way
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = [self._listener]
        _run(self._accept)

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        for end in self._open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def resolve(self, items: list[str]) -> list[str]:
        """The items of `resolve`, by way of this relay."""
        return [f"{item.rsplit(':', 2)[0]}:{self.port}:127.0.0.1" for item in items]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._open.append(near)
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open.append(far)
                self._pass(near, far)
                self._pass(far, near)

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        late: queue.Queue[tuple[float, bytes]] = queue.Queue()

        def take() -> None:
            data = b"."
            while data:
                try:
                    data = source.recv(65536)
                except OSError:
                    data = b""
                late.put((time.monotonic() + self._one_way, data))

        def give() -> None:
            with contextlib.suppress(OSError):
                while True:
                    at, data = late.get()
                    time.sleep(max(0.0, at - time.monotonic()))
                    if not data:
                        sink.shutdown(socket.SHUT_WR)
                        return
                    sink.sendall(data)

        _run(take)
        _run(give)


def _run(target: object) -> None:
    threading.Thread(target=target, daemon=True).start()  # type: ignore[arg-type]
