"""SIGKILL at different moments of a logout: never logged in with an ended session, never a lost
revocation.

Five moments; SESSIONKEEPER_KILLS sets another number (`make soak`: 50).
"""

from __future__ import annotations

import os
import time
from functools import partial

import pytest

from tests.kodi.harness import Kodi
from tests.kodi.viewer import Viewer
from tests.kodi.witness import Witness
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
KILLS = int(os.environ.get("SESSIONKEEPER_KILLS", "5"))
# From pressing Yes to well after the server's answer, which takes ANSWER_S.
SPAN_S = 1.2
ANSWER_S = 0.4


@pytest.mark.timeout(60 + 40 * KILLS)
def test_killed_during_a_logout(
    kodi: Kodi, viewer: Viewer, witness: Witness, angel: StandIn
) -> None:
    angel.fault("/logout", "delay", host="auth.angel.com", delay=ANSWER_S)
    for number in range(KILLS):
        kodi.kill()
        witness.log_in(NAME, PASSWORD)
        session = angel.sessions()[-1]["id"]
        proved = len(witness.events("revoked"))
        kodi.start()
        kodi.run("logout")
        viewer.answer()
        time.sleep(SPAN_S * number / max(KILLS - 1, 1))
        kodi.kill()

        after = witness.status()
        if after["state"] == "signed_in":
            # The logout had not been accepted yet; then nothing may have happened to the session.
            assert not has_ended(angel, session)
            kodi.start()
            assert witness.status()["state"] == "signed_in"
            kodi.kill()
            witness.log_out()
            continue
        kodi.start()
        told = partial(has_ended, angel, session)
        kodi.remote.wait_for(told, f"the server to be told after kill {number}", 60)
        kodi.remote.wait_for(lambda: not witness.outbox(), "the outbox to be empty", 60)
        assert witness.status()["state"] == "signed_out"
        assert len(witness.events("revoked")) <= proved + 1


def has_ended(angel: StandIn, session: str) -> bool:
    return not any(one["alive"] for one in angel.sessions() if one["id"] == session)
