"""kill -9 at random moments of a renewal: at worst a new login is needed.

The processes that are killed are copies of one that has the module loaded. What each leaves behind
is looked at from another process, this one.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Callable

import pytest

import sessionkeeper
from tests.python.oauth.issuers import Device
from tests.python.oauth.processes import Victims
from tests.servers.fixture import StandIn

NAME = StandIn.VIEWER[0]
KILLS = 64
# A session that came through unharmed is used for the next kill.
AT_FIRST = 16

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills copies of a process")


def test_a_killed_renewal_is_whole_or_costs_a_login(
    server: StandIn, devices: Callable[[int], list[Device]]
) -> None:
    unharmed = devices(AT_FIRST)
    spent: list[Device] = []
    found: Counter[str] = Counter()
    with Victims() as victims:
        span = 1.2 * max(victims.run(unharmed[0].options, "renew")["seconds"] for _ in range(3))
        assert len(unharmed[0].renewals()) == 3
        for number in range(KILLS):
            unharmed = unharmed or devices(AT_FIRST)
            device = unharmed.pop(0)
            token, before = device.token, len(device.renewals())
            # In another order than ascending, so that the load of the machine is spread.
            moment = span * (number * 29 % KILLS) / KILLS
            victims.run(device.options, "renew", kill_after=moment)
            sent = len(device.renewals()) - before
            assert device.keeper.status().state == "signed_in"
            assert device.me() == NAME
            if not device.keeper.status().renewable:
                found["sent" if sent else "about to be sent"] += 1
                assert device.token == token
                spent.append(device)
                continue
            found["whole" if sent else "not begun"] += 1
            assert (sent == 1) == (device.token != token)
            unharmed.append(device)
    for device in unharmed:
        assert device.keeper.renew().account.email == NAME
    for device in spent:
        asked = len(device.renewals())
        with pytest.raises(sessionkeeper.InvalidInput):
            device.keeper.renew()
        assert len(device.renewals()) == asked
    for device in unharmed + spent:
        assert device.alive
        # Where the answer to a renewal was lost, a revocation proves nothing of what was in it.
        assert device.keeper.logout().remote in ("revoked", "unconfirmed")
        assert not device.alive
    print(f"{dict(found)}, over {span:.3f} s")
    assert found["not begun"] > 0
    assert found["sent"] > 0
    assert found["whole"] > 0
