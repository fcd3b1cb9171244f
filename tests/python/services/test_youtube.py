"""YouTube: one revocation ends every login of the account with this client."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.services.case import Case
from tests.python.services.journey import Renewing
from tests.python.services.service import Service


class TestYouTube(Renewing):
    case = Case(
        "youtube",
        "https://www.googleapis.com/youtube/v3/channels?part=snippet&mine=true",
        renews=True,
        rotates=False,
        ends_all=True,
        everywhere="revoked",
        denial="denied",
        settings={"device_interval": 1},
    )
    token_path = poll_path = "/token"

    def test_too_soon(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        service.server.settings(slow_down_times=1)
        login = keeper.start_device_login()
        service.approve(login)
        assert service.ask(login.wait()).status_code == 200
        first, second = (one["at"] for one in service.server.journal() if self.is_poll(one))
        # RFC 8628 section 3.5: "the interval MUST be increased by 5 seconds".
        assert second - first > 5.5

    def test_an_access_token_that_goes_on_for_a_while(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        """Google says so; what renews it is dead at once."""
        service.server.settings(revocation_delay=60)
        use = service.copied(service.log_in(keeper))
        assert keeper.logout().remote == "revoked"
        assert use() == 200
        service.server.settings(clock_offset=61)
        assert use() == 401

    def test_neither_a_quota_nor_a_lacking_channel_ends_the_session(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        session = service.log_in(keeper)
        service.server.settings(has_channel=False)
        assert service.ask(session).status_code == 200
        service.server.settings(quota_exceeded=True)
        assert service.ask(session).status_code == 403
        assert service.open().restore() is not None

    def test_too_many_codes_were_asked_for(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(codes_exceeded=True)
        with pytest.raises(sessionkeeper.UnexpectedAnswer, match="403"):
            keeper.start_device_login()
