"""GitHub, with an OAuth app: whoever has a token may revoke it, which is tried afterwards."""

from __future__ import annotations

import time

import pytest

import sessionkeeper
from tests.python.services.case import Case
from tests.python.services.journey import Journey
from tests.python.services.service import Service


class TestOAuthApp(Journey):
    case = Case("github", "https://api.github.com/user", denial="denied", settings={"interval": 1})
    poll_path = "/login/oauth/access_token"
    lifetime = "code_lifetime"

    def test_device_flow_is_switched_off(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(device_flow=False)
        with pytest.raises(sessionkeeper.UnexpectedAnswer, match="device_flow_disabled"):
            keeper.start_device_login()

    def test_what_github_does_not_revoke_is_not_called_revoked(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        """As GitHub Enterprise Server, which takes personal access tokens alone."""
        service.server.settings(revokes_app_tokens=False)
        service.log_in(keeper)
        report = keeper.logout()
        assert (report.local, report.remote) == ("cleared", "alive")
        assert len(keeper.outbox()) == 1

    def test_a_revocation_that_takes_its_time_is_proved_later(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(revocation_delay=1)
        use = service.copied(service.log_in(keeper))
        assert keeper.logout().remote == "alive"
        service.server.settings(revocation_delay=0)
        time.sleep(1.1)
        drained = keeper.drain()
        assert (drained.revoked + drained.already_ended, drained.alive) == (1, 0)
        assert use() == 401
