"""Canaries for the tests of what gets out: the secrets themselves, and what a careless server might
hand back. `Plant` collects those that come into being while a test goes on: cookies, tokens, form
values, codes, the device key. The search is tests/canaries.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from tests.canaries import Search, parts, written_files
from tests.python.conftest import CommandLine
from tests.servers.fixture import StandIn

NAME = "canary.viewer@example.com"
# Something to escape for each encoding, around a core that stays as it is.
CORE, WRONG_CORE = "Goldammer7Zeisig3Pirol", "Bussard5Habicht8Sperber"
PASSWORD, WRONG = f'ä"/+&%\\<{CORE}>=ß', f"ö'?;{WRONG_CORE}|"
# What a hostile or careless server might hand back to us.
ECHOED = "Kuckuck2Wiedehopf6Eisvogel"
LOGOUT_FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("status:503", {"body": f"token={ECHOED}"}),
    ("status:403", {"body": f'{{"error": "{ECHOED}"}}'}),
    ("status:400", {"body": f'{{"error": "invalid_request {ECHOED}"}}'}),
    ("html_200", {"body": f"<p class={ECHOED}>{ECHOED}</p>"}),
    ("wrong_location", {"location": f"https://www.angel.com/error?token={ECHOED}#{ECHOED}"}),
    ("evil_host", {"location": f"https://evil.example/{ECHOED}?token={ECHOED}"}),
    ("evil_userinfo", {"location": f"https://{ECHOED}:{ECHOED}@evil.example/"}),
    ("extra_headers", {"headers": [["Set-Cookie", f"{ECHOED}={ECHOED}; Path=/"]]}),
    ("partial_deletion", {}),
    ("reset_after_read", {}),
    ("truncated", {}),
    ("malformed_status_line", {"line": f"HTTP/1.1 {ECHOED}"}),
    ("nul_in_header", {}),
    ("tls_unknown_ca", {}),
]


class Shown:
    """All that a keeper showed while a test went on, by place."""

    def __init__(self, keeper: sessionkeeper.Keeper) -> None:
        self.keeper = keeper
        self.shown: dict[str, str | bytes] = {}

    def show(self, place: str, *things: object) -> None:
        texts = [f"{thing!r} {thing}" for thing in things]
        self.shown[f"{place}, step {len(self.shown)}"] = "\n".join(texts)

    def fails(self, place: str, act: Callable[[], object]) -> None:
        with pytest.raises(sessionkeeper.Error) as caught:
            act()
        error = caught.value
        self.show(place, error, error.hint, error.args, error.as_dict(), vars(error))
        shown = traceback.format_exception(type(error), error, error.__traceback__)
        self.show(f"the traceback of {place}", "".join(shown))

    def show_the_rest(self) -> None:
        keeper = self.keeper
        self.show("the keeper", keeper, keeper.status(), keeper.details(), keeper.schedule())
        self.show("the rest", keeper.audit(1000), keeper.doctor(), keeper.events(0))
        self.show("the log", *keeper.take_log())


class Plant:
    """The secrets of one test, as they become known, and where its process left something."""

    def __init__(self, angel: StandIn, data: Path, keys: Path) -> None:
        self._angel, self._data, self._keys = angel, data, keys
        self.secrets: dict[str, str | bytes] = {
            "the password": PASSWORD,
            "the password's core": CORE,
            "the wrong password": WRONG,
            "the wrong password's core": WRONG_CORE,
            "what the server echoed": ECHOED,
        }
        angel.add_user(NAME, PASSWORD)
        angel.clear_journal()

    def take(self, cookies: dict[str, str], headers: dict[str, str]) -> None:
        """Adds what a session consists of."""
        number = len(self.secrets)
        values = {**cookies, "bearer": headers["Authorization"].split()[1]}
        assert len(values) >= 5
        for name, value in values.items():
            self.secrets[f"{name} {number}"] = value
            for part in parts(value):
                self.secrets[f"part of {name} {number} at {value.index(part)}"] = part

    def take_journal(self) -> None:
        """Adds the form states and codes that went over the wire, and the device key."""
        for request in self._angel.journal():
            for name in ("state", "code"):
                value = request["query"].get(name, "")
                if len(value) > 8:
                    self.secrets[f"{name} of request {request['seq']}"] = value
        assert any(name.startswith("state") for name in self.secrets)
        for file in self.key_files():
            self.secrets[f"the key {file.name}"] = file.read_bytes()

    def key_files(self) -> list[Path]:
        found = [file for file in written_files(self._keys) if file.suffix == ".key"]
        assert found, "the device key is where this test looks for it"
        assert all(file.stat().st_size == 32 for file in found)
        return found

    def leaks(self, shown: dict[str, str | bytes], *more_roots: Path) -> list[str]:
        self.take_journal()
        search = Search(self.secrets)
        roots = (self._data, self._keys, *more_roots)
        found = search.files(*roots, without=self.key_files())
        for place, content in shown.items():
            found += search.content(place, content)
        return found


def plant_in(command_line: CommandLine, angel: StandIn) -> tuple[Plant, Callable[[], None]]:
    """The plant of a test of the command line, and what takes the credentials of the moment."""
    data, keys = command_line.home / "data", command_line.home / "share"
    plant = Plant(angel, data, keys)
    script = (
        "import json, sys, sessionkeeper\n"
        "session = sessionkeeper.open(data_dir=sys.argv[1]).session\n"
        "print(json.dumps([session.cookies, dict(session.headers)]))\n"
    )

    def take() -> None:
        ended = subprocess.run(
            [sys.executable, "-c", script, str(data)],
            env=command_line.environment,
            capture_output=True,
            timeout=60,
            check=True,
        )
        plant.take(*json.loads(ended.stdout))

    return plant, take
