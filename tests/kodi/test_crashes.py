"""A Kodi that crashes is told apart from one that only does not answer."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kodi.harness import Kodi, KodiCrashed, KodisOwnCrash


def test_a_crash_is_told_with_its_stack(kodi: Kodi) -> None:
    os.kill(kodi.process_id, signal.SIGSEGV)
    with pytest.raises(KodiCrashed, match="#0 ") as crash:
        kodi.remote.wait_for(lambda: kodi.rpc("JSONRPC.Ping") != "pong", "silence", 10)
    assert not isinstance(crash.value, KodisOwnCrash)
    assert not kodi.running
