"""The shop as a developer runs it: http://localhost, without TLS.

    python -m tests.servers linxup.plain [--port N] [--control-port N] [--directory D]

Journal, faults and control are the front's. The cookies are those of production (Secure,
SameSite=None) until the setting `development` is true.
"""

from __future__ import annotations

from pathlib import Path

from . import service


class Service(service.Service):
    hosts = ("localhost",)
    plain = True

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.parameters = {"base": "http://localhost:PORT"}

    async def start(self) -> dict[str, int]:
        (port,) = (await super().start()).values()
        return {"localhost": port, "127.0.0.1": port}
