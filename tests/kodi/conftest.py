"""Fixtures of the Kodi tests: one stand-in server for all, a Kodi with a profile of its own for
each test.

After each test Kodi's log is read: a traceback, a script that had to be killed, or a password fails
the test. SESSIONKEEPER_ZIP names the package to test; without it the checkout's files and
SESSIONKEEPER_NATIVE are used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.canaries import forms
from tests.kodi import harness
from tests.kodi.harness import Kodi
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import AngelServer


@pytest.fixture(scope="session")
def angel_process() -> Iterator[AngelServer]:
    with AngelServer() as server:
        yield server


@pytest.fixture
def angel(angel_process: AngelServer) -> AngelServer:
    """The stand-in, running, without faults and with an empty journal. Its users and old sessions
    stay.
    """
    angel_process.start()
    angel_process.clear_faults()
    angel_process.clear_journal()
    return angel_process


@pytest.fixture
def kodi(tmp_path: Path, angel: AngelServer) -> Iterator[Kodi]:
    if not harness.available():
        pytest.skip("needs Kodi, Xvfb and ImageMagick")
    kodi = Kodi(tmp_path, angel.environment())
    try:
        kodi.start()
        yield kodi
        log = kodi.logs()
    finally:
        kodi.close()
        # Shown by pytest where the test failed.
        print(*kodi.lines_about_the_addon(), sep="\n")
    assert "Traceback" not in log
    assert "let's kill it" not in log
    for password in (AngelServer.VIEWER[1], AngelServer.NON_ASCII[1]):
        assert not [form for form in forms(password) if form in log.encode()]


@pytest.fixture
def viewer(kodi: Kodi) -> Viewer:
    return Viewer(kodi)


@pytest.fixture
def witness(kodi: Kodi) -> Witness:
    return Witness(kodi)
