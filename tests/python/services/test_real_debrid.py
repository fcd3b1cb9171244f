"""Real-Debrid: a client for each viewer; the access token ends, and what renews it goes on."""

from __future__ import annotations

import sessionkeeper
from tests.python.services.case import Case
from tests.python.services.journey import Renewing
from tests.python.services.service import Service


class TestRealDebrid(Renewing):
    case = Case(
        "real-debrid",
        "https://api.real-debrid.com/rest/1.0/user",
        renews=True,
        rotates=False,
        outcome="unconfirmed",
        tells_expiry=False,
        settings={"interval": 1},
    )
    token_path = "/oauth/v2/token"
    poll_path = "/oauth/v2/device/credentials"
    lifetime = "code_lifetime"

    def test_a_refresh_token_that_is_replaced_after_all(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(rotates=True)
        service.log_in(keeper)
        for _ in range(3):
            assert service.ask(keeper.renew()).status_code == 200

    def test_an_answer_without_the_address_that_has_the_code(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(direct_address=False)
        login = keeper.start_device_login()
        assert login.address == "https://real-debrid.com/device"
        service.approve(login)
        assert login.wait().account.email == service.case.viewer[0]

    def test_a_locked_account_is_not_a_dead_token(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        session = service.log_in(keeper)
        service.server.settings(account_locked=True)
        assert service.ask(session).status_code == 403
        assert service.open().restore() is not None

    def test_what_goes_on_is_told(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        use = service.copied(service.log_in(keeper))
        report = keeper.logout()
        assert (report.remote, use()) == ("unconfirmed", 401)
        assert service.alive() == [True]
        (debrid,) = (one for one in sessionkeeper.providers() if one.id == "real-debrid")
        assert "real-debrid.com/apps" in debrid.leaves
