"""What is left in the memory of a process that logged in, made a request, renewed and logged out.

The process is one of its own, as a script or Kodi would be; this one reads all of its memory that
can be written, as a core dump would hold it. The process itself never asks for the credentials:
what Python was given, nobody can wipe.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

import sessionkeeper
from tests.canaries import forms
from tests.servers.fixture import StandIn

pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks into /proc")

VICTIM = """
import json, sys, sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
for line in sys.stdin:
    word = line.split()[0]
    if word == "login":
        keeper.login(*json.loads(line[5:]))
    elif word == "request":
        answer = keeper.session.post(
            "https://api.angelstudios.com/graphql", json={"query": "{ me { email } }"})
        assert answer.status_code == 200, answer
        del answer
    elif word == "renew":
        assert keeper.restore()
    elif word == "logout":
        assert keeper.logout().remote == line.split()[1]
    elif word == "drain":
        keeper.drain()
    print("done", flush=True)
"""


class Victim:
    def __init__(self, options: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", VICTIM, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def do(self, word: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def memory(self) -> bytes:
        """All that it can write, one after the other."""
        place = Path(f"/proc/{self._process.pid}")
        pieces = []
        with open(place / "mem", "rb", buffering=0) as memory:
            for line in (place / "maps").read_text().splitlines():
                found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
                if found:
                    start, end = (int(number, 16) for number in found.groups())
                    memory.seek(start)
                    pieces.append(memory.read(end - start))
        return b"\0".join(pieces)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def victim(options: dict[str, Any]) -> Iterator[Victim]:
    victim = Victim(options)
    yield victim
    victim.end()


def credentials_of(session: sessionkeeper.Session | None) -> dict[str, str]:
    assert session
    return {**session.cookies, "bearer": session.headers["Authorization"].split()[1]}


def count(memory: bytes, secrets: dict[str, str]) -> dict[str, int]:
    """How often each of them can be read, in any of the usual writings."""
    lower = memory.lower()
    counts = {
        name: sum(lower.count(form.lower()) for form in set(forms(value)))
        for name, value in secrets.items()
    }
    return {name: found for name, found in counts.items() if found}


def left_in(victim: Victim, secrets: dict[str, str]) -> dict[str, int]:
    """What can still be read when the connections had the time to be closed."""
    until = time.monotonic() + 15
    while True:
        left = count(victim.memory(), secrets)
        if not left or time.monotonic() > until:
            return left


def use_the_session(victim: Victim, angel: StandIn, options: dict[str, Any]) -> dict[str, str]:
    """Logs in, requests, renews and requests again; returns all credentials that there were."""
    keeper = sessionkeeper.open("angel", **options)
    angel.settings(jwt_lifetime=5)
    victim.do(f"login {json.dumps(angel.VIEWER)}")
    first = credentials_of(keeper.session)
    victim.do("request")
    # So the search finds what there is.
    assert set(count(victim.memory(), first)) == set(first)
    angel.settings(jwt_lifetime=86400)
    time.sleep(5.1)
    victim.do("renew")
    second = credentials_of(keeper.session)
    assert second["angel_jwt_v2"] != first["angel_jwt_v2"]
    victim.do("request")
    secrets = {f"first {name}": value for name, value in first.items()}
    secrets.update((f"second {name}", value) for name, value in second.items())
    return secrets


def test_no_credential_stays_after_the_logout(
    victim: Victim, angel: StandIn, options: dict[str, Any]
) -> None:
    secrets = use_the_session(victim, angel, options)
    victim.do("logout revoked")
    assert left_in(victim, secrets) == {}


def test_nor_where_the_server_is_still_to_be_told(
    victim: Victim, angel: StandIn, options: dict[str, Any]
) -> None:
    secrets = use_the_session(victim, angel, options)
    angel.settings(listening=False)
    victim.do("logout deferred")
    assert left_in(victim, secrets) == {}
    # What it takes to tell the server is read, used and wiped again.
    angel.settings(listening=True)
    victim.do("drain")
    assert not any(session["alive"] for session in angel.sessions())
    assert left_in(victim, secrets) == {}
