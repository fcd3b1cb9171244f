"""The systems that are killed while they write: how each is filled, written and looked at.

Each keeps one session. `write` goes on until the process is killed; `look` is asked by a new
process afterwards and says "whole", "empty", "torn" or "gone". Ours writes through its outbox: a
logout that waits is tried against a closed port, which stores the attempt beside the session.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import secrets
from pathlib import Path
from typing import Any, Callable

# About what the cookies of a session come to.
TOKEN = "canary-" + "0123456789abcdef" * 128


class Ours:
    name = "sessionkeeper"

    def __init__(self, directory: Path) -> None:
        import sessionkeeper

        self._module = sessionkeeper
        self.directory = directory
        # The native part is loaded before the fork, so that a kill meets no import.
        sessionkeeper.providers()

    def keeper(self, **options: Any) -> Any:
        keys = self.directory.parent / "keys"
        options = {"data_dir": self.directory, "key_dir": keys, "proxy": "none", **options}
        return self._module.open("angel", **options)

    def fill(self) -> list[str]:
        """Signs in twice, the first time with a logout that waits; gives the secrets kept."""
        found = []
        keeper = self.keeper()
        for is_last in (False, True):
            session = keeper.login(os.environ["BENCH_NAME"], os.environ["BENCH_PASSWORD"])
            found += session.cookies.values()
            if not is_last:
                keeper.logout(local_only=True)
        return found

    def write(self, begun: Callable[[], object]) -> None:
        hosts = ("www.angel.com", "auth.angel.com", "api.angelstudios.com")
        keeper = self.keeper(resolve=[f"{host}:1:127.0.0.1" for host in hosts])
        keeper.drain()
        begun()
        while True:
            keeper.drain()

    def look(self) -> str:
        keeper = self.keeper()
        status = keeper.status()
        if status.state == "signed_in" and status.pending_revocations == 1:
            return "whole"
        return "gone"

    def finish(self) -> None:
        """What survived is not only there but works."""
        keeper = self.keeper()
        drained = keeper.drain()
        if drained.revoked != 1 or keeper.logout().remote != "revoked":
            raise SystemExit("what survived the kills cannot be used")


class Peer:
    """One file with a JSON text that carries its own checksum."""

    name = ""
    file = ""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def save(self, value: dict[str, str]) -> None:
        raise NotImplementedError

    def fill(self) -> list[str]:
        self.save(signed())
        return [TOKEN]

    def write(self, begun: Callable[[], object]) -> None:
        self.save(signed())
        begun()
        while True:
            self.save(signed())

    def look(self) -> str:
        try:
            text = (self.directory / self.file).read_text(encoding="utf-8")
        except FileNotFoundError:
            return "gone"
        if not text:
            return "empty"
        try:
            return "whole" if is_signed(json.loads(text)) else "torn"
        except ValueError:
            return "torn"

    def finish(self) -> None:
        """Nothing but the file counts."""


class MsalExtensions(Peer):
    name = "msal-extensions"
    file = "cache.json"

    def __init__(self, directory: Path) -> None:
        import msal_extensions  # type: ignore[import-not-found,unused-ignore]

        super().__init__(directory)
        self._kept = msal_extensions.FilePersistence(str(directory / self.file))

    def save(self, value: dict[str, str]) -> None:
        self._kept.save(json.dumps(value))


class Botocore(Peer):
    name = "botocore"
    file = "session.json"

    def __init__(self, directory: Path) -> None:
        from botocore.utils import JSONFileCache  # type: ignore[import-not-found,unused-ignore]

        super().__init__(directory)
        self._kept = JSONFileCache(str(directory))

    def save(self, value: dict[str, str]) -> None:
        self._kept["session"] = value


SYSTEMS: list[type[Ours | Peer]] = [Ours, MsalExtensions, Botocore]
NEEDS = {"msal-extensions": "msal_extensions", "botocore": "botocore"}


def is_installed(name: str) -> bool:
    return name not in NEEDS or importlib.util.find_spec(NEEDS[name]) is not None


def signed() -> dict[str, str]:
    value = {"token": TOKEN, "generation": secrets.token_hex(16)}
    return {**value, "checksum": _checksum(value)}


def is_signed(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    rest = {name: text for name, text in value.items() if name != "checksum"}
    return value.get("checksum") == _checksum(rest)


def _checksum(value: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
