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

CREDENTIALS = """
import json, sessionkeeper, sys
session = sessionkeeper.open("angel", data_dir=sys.argv[1]).session
print(json.dumps(dict(session.cookies) if session else {}))
"""


class Witness:
    def __init__(self, kodi: Kodi) -> None:
        self._kodi = kodi

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self._command("status")
        return status

    def log_in(self, name: str, password: str) -> None:
        """Signs in from outside Kodi, for tests that are about what comes after."""
        answer = self._command("login", "--username", name, SESSIONKEEPER_PASSWORD=password)
        assert answer["state"] == "signed_in"

    def log_out(self) -> None:
        """Signs out from outside Kodi, and expects the server's proof."""
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

    def cookies(self) -> dict[str, str]:
        """The session's cookies with their values; empty when signed out."""
        found: dict[str, str] = self._python("-c", CREDENTIALS, str(self._kodi.data_directory))
        return found

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
        keys = self._kodi.home / "data" / "sessionkeeper" / "keys"
        return [file for file in keys.rglob("*") if file.is_file() and file.stat().st_size >= 32]

    def _command(self, *arguments: str, **environment: str) -> Any:
        start = ("-m", "sessionkeeper", "--json", "--data-dir", str(self._kodi.data_directory))
        return self._python(*start, *arguments, **environment)

    def _python(self, *arguments: str, **more: str) -> Any:
        environment = {
            **os.environ,
            **self._kodi.environment,
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
