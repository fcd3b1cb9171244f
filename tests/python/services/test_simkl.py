"""Simkl: there is no way out, and none is claimed."""

from __future__ import annotations

import sessionkeeper
from tests.python.services.case import Case
from tests.python.services.journey import Journey
from tests.python.services.service import Service


class TestSimkl(Journey):
    case = Case(
        "simkl",
        "https://api.simkl.com/users/settings",
        method="POST",
        outcome="unconfirmed",
        lives_on=True,
        settings={"device_interval": 1},
    )
    poll_path = "/oauth/pin/"

    def test_what_goes_on_is_told(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        use = service.copied(service.log_in(keeper))
        sent = len(service.server.journal())
        report = keeper.logout()
        assert "no way to end" in report.reason
        assert len(service.server.journal()) == sent
        assert use() == 200
        (simkl,) = (one for one in sessionkeeper.providers() if one.id == "simkl")
        assert "simkl.com/settings/connected-apps" in simkl.leaves
