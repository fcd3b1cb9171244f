"""One proxy in front of several stand-ins, for a program that has a single way to the network, as
Kodi: each connection goes to the stand-in of the host that it asks for. A host that nobody serves,
or whose stand-in is stopped, cannot be reached.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType

from tests.servers.fixture import StandIn


class Crossroads:
    def __init__(self, *servers: StandIn) -> None:
        self._ports = {
            one.split(":")[0]: server.port for server in servers for one in server.resolve
        }
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def proxy(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Crossroads:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked:
                more = client.recv(4096)
                if not more:
                    return
                asked += more
            host = asked.split()[1].decode().rpartition(":")[0]
            port = self._ports.get(host)
            if port is None:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", port), 5) as server:
                server.settimeout(None)
                server.sendall(asked)
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Until one side has said all, or is gone."""
    with contextlib.suppress(OSError):
        while True:
            piece = source.recv(65536)
            if not piece:
                break
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
