"""Fixtures of the Kodi tests: a Kodi with a profile of its own for each test, and the service that
it talks to. The profile with the add-on enabled is made once and copied.

`provider_id` says which service a test is about; a module or a parametrised test overrides it.
After each test Kodi's log is read: a traceback, a script that had to be killed, or a password fails
the test. SESSIONKEEPER_ZIP names the package to test; without it the checkout's files and
SESSIONKEEPER_NATIVE are used.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Callable, Iterator

import pytest

from tests.canaries import forms
from tests.kodi import harness
from tests.kodi.harness import Kodi
from tests.kodi.services import SERVED_BY, parameters_for
from tests.kodi.shim import Shim, forget
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn


@pytest.fixture
def provider_id() -> str:
    return "angel"


@pytest.fixture
def server(stand_in: Callable[[str], StandIn], provider_id: str) -> StandIn:
    """The stand-in, running, as new but for its users."""
    return stand_in(SERVED_BY.get(provider_id, provider_id)).reset()


@pytest.fixture
def angel(server: StandIn) -> StandIn:
    """The same, in tests that are about Angel Studios."""
    assert server.name == "angel"
    return server


@pytest.fixture(scope="session")
def home_with_the_addon(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home directory of a Kodi that has enabled the add-on and ended."""
    if not harness.available():
        # With a package to test, somebody expects that it is tested.
        assert not os.environ.get("SESSIONKEEPER_ZIP"), harness.NEEDED
        pytest.skip(harness.NEEDED)
    kodi = Kodi(tmp_path_factory.mktemp("kodi"))
    try:
        kodi.start()
        kodi.quit()
    finally:
        kodi.close()
    return kodi.home


@pytest.fixture
def unstarted_kodi(
    tmp_path: Path, server: StandIn, provider_id: str, home_with_the_addon: Path
) -> Kodi:
    """A Kodi that is not running yet, with the service chosen in the settings."""
    kodi = Kodi(tmp_path, server, like=home_with_the_addon)
    if provider_id != "angel":
        kodi.choose_service(provider_id, parameters_for(provider_id, server))
    return kodi


@pytest.fixture
def kodi(unstarted_kodi: Kodi) -> Iterator[Kodi]:
    kodi = unstarted_kodi
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
    for password in (StandIn.VIEWER[1], StandIn.NON_ASCII[1]):
        assert not [form for form in forms(password) if form in log.encode()]


@pytest.fixture
def viewer(kodi: Kodi) -> Viewer:
    return Viewer(kodi)


@pytest.fixture
def witness(kodi: Kodi, server: StandIn, provider_id: str) -> Witness:
    return Witness(kodi, provider_id, parameters_for(provider_id, server))


@pytest.fixture
def shim(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shim]:
    """The shim's modules, over stand-ins for Kodi's."""
    shim = Shim()
    for name, module in shim.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    forget()
    yield shim
    forget()
