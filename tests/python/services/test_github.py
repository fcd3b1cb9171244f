"""GitHub: whoever has a token may revoke it, which is tried afterwards."""

from __future__ import annotations

import time

import pytest

import sessionkeeper
from tests.python.services.case import Case
from tests.python.services.journey import Journey, Renewing
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


class TestGitHubApp(Renewing):
    """Tokens end after eight hours, and are renewed."""

    case = Case(
        "github",
        "https://api.github.com/user",
        renews=True,
        denial="denied",
        settings={"interval": 1, "app": "github_app", "expiring_tokens": True},
    )
    token_path = poll_path = "/login/oauth/access_token"
    lifetime = "code_lifetime"

    def test_what_renews_is_revoked_too(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.log_in(keeper)
        told = keeper.logout()
        assert told.remote == "revoked"
        revoked = service.server.journal("/credentials/revoke")
        assert [one["bearer"] for one in revoked] == [False, False]
        assert service.alive() == [False]
