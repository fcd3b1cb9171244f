"""A tenant of Auth0, by its login page in a browser."""

from __future__ import annotations

from tests.python.auth0_person import sign_in
from tests.python.services.case import BROWSER, Case
from tests.python.services.journey import Renewing
from tests.servers.browser import Browser
from tests.servers.fixture import StandIn


def browse(server: StandIn, url: str, who: tuple[str, str]) -> str:
    return sign_in(Browser(server), who, url).url


class TestAuth0(Renewing):
    case = Case("auth0", "{tenant}/userinfo", (BROWSER,), renews=True, lingers=True, browse=browse)
    token_path = "/oauth/token"
