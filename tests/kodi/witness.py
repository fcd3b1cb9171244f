"""What a data directory holds, seen by a process outside Kodi, and where secrets have no business.

Asks through the packaged Python module in a process of its own, as the same user, so the answer
does not come from Kodi's memory. How a secret may be written is in tests/canaries.py. It changes
nothing but what `restore` itself would.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.canaries import forms
from tests.kodi.harness import Kodi
from tests.kodi.staging import ADDON_ID
from tests.servers.fixture import StandIn

# The session's cookies and its bearer token, as an add-on would get them.
CREDENTIALS = """
import json, sessionkeeper, sys
keeper = sessionkeeper.open(sys.argv[1], **json.loads(sys.argv[2]))
session = keeper.session
found = {"cookies": {}, "token": ""}
if session:
    bearer = session.headers.get("Authorization", "")
    found = {"cookies": dict(session.cookies), "token": bearer.replace("Bearer ", "", 1)}
print(json.dumps(found))
"""
QR = """
import json, sys
from sessionkeeper import loading
print(json.dumps(loading.native().qr(sys.argv[1])))
"""


class Witness:
    def __init__(
        self,
        kodi: Kodi,
        provider: str = "angel",
        parameters: dict[str, str] | None = None,
        addon: str = ADDON_ID,
        server: StandIn | None = None,
    ) -> None:
        """`server` is the service's, where that is not the one that Kodi's way leads to."""
        self._kodi = kodi
        self._server = server or kodi.server
        self._data_directory = kodi.data_directory.with_name(addon)
        self._provider = provider
        self._parameters = parameters or {}

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self._command("status")
        return status

    def log_in(self, name: str, password: str) -> None:
        """Logs in from outside Kodi, for tests that are about what comes after."""
        answer = self._command("login", "--username", name, SESSIONKEEPER_PASSWORD=password)
        assert answer["state"] == "signed_in"

    def log_in_elsewhere(self, directory: Path, name: str, password: str) -> None:
        """Signs the same account in on another device."""
        arguments = ("login", "--username", name)
        answer = self._command_in(directory, *arguments, SESSIONKEEPER_PASSWORD=password)
        assert answer["state"] == "signed_in"

    def log_out(self) -> None:
        """Logs out from outside Kodi, and expects the server's proof."""
        assert self._command("logout")["remote"] == "revoked"

    def audit(self) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self._command("audit")["events"]
        return events

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of the audit trail about one kind of event."""
        return [event for event in self.audit() if event["event"] == name]

    def outbox(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self._command("outbox")["entries"]
        return entries

    def drain(self) -> None:
        """Tells the server about the logouts that wait, and expects its proof of all of them."""
        assert self._command("outbox", "--drain")["entries"] == []

    def cookies(self) -> dict[str, str]:
        """The session's cookies with their values; empty when logged out."""
        cookies: dict[str, str] = self._credentials()["cookies"]
        return cookies

    def token(self) -> str:
        """The bearer token; empty when logged out, or where the service has none."""
        return str(self._credentials()["token"])

    def accounts(self) -> list[dict[str, Any]]:
        accounts: list[dict[str, Any]] = self._command("accounts")["accounts"]
        return accounts

    def qr(self, text: str) -> list[str]:
        """The modules of the QR code of this text."""
        rows: list[str] = self._python("-c", QR, text)
        return rows

    def device_key(self) -> list[bytes]:
        return [file.read_bytes() for file in self._key_files()]

    def places_with(self, secrets: list[str | bytes]) -> list[str]:
        """Where one of the secrets can be read, in any of the usual writings, among all that the
        add-on and Kodi have written.
        """
        found = []
        writings = [
            (number, form) for number, secret in enumerate(secrets) for form in forms(secret)
        ]
        for file in self._written_files():
            content = file.read_bytes().lower()
            found += [
                f"secret {number} in {file}" for number, form in writings if form.lower() in content
            ]
        heard = json.dumps(self._kodi.remote.notifications).encode().lower()
        found += [
            f"secret {number} in a notification"
            for number, form in writings
            if form.lower() in heard
        ]
        return found

    def _written_files(self) -> list[Path]:
        roots = [
            self._kodi.profile / "temp",
            self._kodi.profile / "userdata",
            self._kodi.home / "data",
        ]
        keys = set(self._key_files())
        return [
            file
            for root in roots
            for file in root.rglob("*")
            if file.is_file() and file not in keys
        ]

    def _key_files(self) -> list[Path]:
        keys = self._kodi.home / "data" / "sessionkeeper-keys"
        return [file for file in keys.rglob("*") if file.is_file() and file.stat().st_size >= 32]

    def _credentials(self) -> Any:
        options = {"parameters": self._parameters, "data_dir": str(self._data_directory)}
        if self._server:
            options.update(self._server.options())
        return self._python("-c", CREDENTIALS, self._provider, json.dumps(options))

    def _command(self, *arguments: str, **environment: str) -> Any:
        return self._command_in(self._data_directory, *arguments, **environment)

    def _command_in(self, directory: Path, *arguments: str, **environment: str) -> Any:
        start = ["-m", "sessionkeeper", "--json", "--data-dir", str(directory)]
        start += ["--provider", self._provider]
        if self._server:
            start += self._server.arguments()
        for name, value in self._parameters.items():
            start += ["--parameter", f"{name}={value}"]
        return self._python(*start, *arguments, **environment)

    def _python(self, *arguments: str, **more: str) -> Any:
        environment = {
            **os.environ,
            **more,
            "HOME": str(self._kodi.home),
            "XDG_DATA_HOME": str(self._kodi.home / "data"),
            "PYTHONPATH": str(self._kodi.addon / "resources" / "lib"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [sys.executable, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout)
