"""Twitch: the access token ends, and what renews it goes on."""

from __future__ import annotations

import pytest

import sessionkeeper
from tests.python.services.case import Case
from tests.python.services.journey import Renewing
from tests.python.services.service import Service


class TestTwitch(Renewing):
    case = Case(
        "twitch",
        "https://api.twitch.tv/helix/users",
        renews=True,
        outcome="unconfirmed",
        settings={"device_interval": 1},
    )
    token_path = poll_path = "/oauth2/token"

    @pytest.mark.parametrize(
        ("word", "error"),
        [
            ("access_denied", sessionkeeper.LoginDenied),
            ("invalid device code", sessionkeeper.CodeExpired),
        ],
    )
    def test_a_viewer_says_no(
        self,
        service: Service,
        keeper: sessionkeeper.Keeper,
        word: str,
        error: type[sessionkeeper.Error],
    ) -> None:
        service.server.settings(denied_word=word)
        login = keeper.start_device_login()
        service.approve(login, deny=True)
        with pytest.raises(error):
            login.wait()

    @pytest.mark.parametrize("status", [400, 401])
    def test_disconnected_by_the_viewer(
        self, service: Service, keeper: sessionkeeper.Keeper, status: int
    ) -> None:
        service.server.settings(disconnected_status=status)
        service.log_in(keeper)
        self.end(service)
        with pytest.raises(sessionkeeper.SessionExpired):
            keeper.renew()

    def test_a_client_of_the_wrong_type_is_no_end_of_the_session(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        session = service.log_in(keeper)
        service.server.settings(client_type="confidential")
        with pytest.raises(sessionkeeper.UnexpectedAnswer, match="400"):
            keeper.renew()
        assert service.ask(session).status_code == 200

    def test_what_goes_on_is_told(self, service: Service, keeper: sessionkeeper.Keeper) -> None:
        """The access token is dead; what renews it is not, and no request would end it."""
        use = service.copied(service.log_in(keeper))
        report = keeper.logout()
        assert (report.remote, use()) == ("unconfirmed", 401)
        assert service.alive() == [True]
        (twitch,) = (one for one in sessionkeeper.providers() if one.id == "twitch")
        assert "twitch.tv/settings/connections" in twitch.leaves
