"""Trakt: rotating tokens, and a revocation that says 200 whatever it was given."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.services.case import Case
from tests.python.services.journey import Renewing
from tests.python.services.service import Service


class TestTrakt(Renewing):
    case = Case(
        "trakt",
        "https://api.trakt.tv/users/settings",
        renews=True,
        denial="denied",
        settings={"device_interval": 1},
    )
    token_path = "/oauth/token"
    poll_path = "/oauth/device/token"
    lapse = 8 * 24 * 3600

    def test_too_soon(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        service.server.settings(slow_down_times=1)
        login = keeper.start_device_login()
        service.approve(login)
        assert service.ask(login.wait()).status_code == 200
        first, second = (one["at"] for one in service.server.journal() if self.is_poll(one))
        # RFC 8628 section 3.5: "the interval MUST be increased by 5 seconds".
        assert second - first > 5.5

    def test_a_refusal_as_it_was_before_the_summer(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(generation="2025")
        service.log_in(keeper)
        self.end(service)
        with pytest.raises(sessionkeeper.SessionExpired):
            keeper.renew()

    def test_a_revocation_without_a_body(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(revocation_says_nothing=True)
        service.log_in(keeper)
        assert keeper.logout().remote == "revoked"

    def test_a_locked_account_is_not_a_dead_token(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        session = service.log_in(keeper)
        service.server.settings(account_locked=True)
        assert service.ask(session).status_code == 423
        # Nothing can be proved while it is locked, and nothing is claimed.
        assert keeper.logout().remote == "unconfirmed"
        service.server.settings(account_locked=False)
