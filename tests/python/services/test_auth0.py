"""A tenant of Auth0, by its login page in a browser."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.auth0_person import sign_in
from tests.python.services.case import BROWSER, Case
from tests.python.services.journey import Renewing
from tests.python.services.service import Service
from tests.servers.browser import Browser
from tests.servers.fixture import StandIn


def browse(server: StandIn, url: str, who: tuple[str, str]) -> str:
    return sign_in(Browser(server), who, url).url


class TestAuth0(Renewing):
    case = Case("auth0", "{tenant}/userinfo", (BROWSER,), renews=True, lingers=True, browse=browse)
    token_path = "/oauth/token"

    def test_both_on_one_page(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        service.server.settings(pages="combined")
        assert service.log_in(keeper).account.email == service.case.viewer[0]

    def test_without_rotation_the_refresh_token_stays(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(rotation=False)
        service.log_in(keeper)
        for _ in range(2):
            assert service.ask(keeper.renew()).status_code == 200

    def test_an_address_of_another_login_is_refused(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        mine, other = (keeper.start_browser_login(redirect="paste") for _ in range(2))
        led = browse(service.server, other.url, service.case.viewer)
        with pytest.raises(sessionkeeper.InvalidInput):
            mine.finish(led)
        assert keeper.status().state == "signed_out"
        assert other.finish(led).account.email == service.case.viewer[0]

    def test_a_code_serves_once(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        begun = keeper.start_browser_login(redirect="paste")
        led = browse(service.server, begun.url, service.case.viewer)
        begun.finish(led)
        with pytest.raises(sessionkeeper.Error):
            begun.finish(led)
        assert len(service.server.sessions()) == 1
