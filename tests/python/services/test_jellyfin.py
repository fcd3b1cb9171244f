"""Jellyfin, by Quick Connect and by a name and a password."""

from __future__ import annotations

from dataclasses import replace

import pytest

import sessionkeeper
from tests.python.services.case import CODE, PASSWORD, Case
from tests.python.services.journey import AtHome
from tests.python.services.service import Service


class TestJellyfin(AtHome):
    case = Case(
        "jellyfin",
        "{base}/Users/Me",
        (CODE, PASSWORD),
        hurry={"interval = 5": "interval = 1"},
    )
    poll_path = "/QuickConnect/Connect"
    lifetime = "quick_connect_lifetime"
    lan = "jellyfin.local"

    def test_quick_connect_is_switched_off(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(quick_connect=False)
        with pytest.raises(sessionkeeper.UnexpectedAnswer, match="Quick Connect is switched off"):
            keeper.start_device_login()
        assert keeper.login(*service.case.viewer).account.id
        told = keeper.logout()
        assert told.remote == "revoked"

    def test_beneath_a_path(self, service: Service) -> None:
        service.server.settings(base_path="/jellyfin")
        keeper = service.open()
        session = service.log_in(keeper)
        assert service.me.endswith("/jellyfin/Users/Me")
        assert service.ask(session).status_code == 200
        assert keeper.logout().remote == "revoked"

    def test_a_disabled_account_is_told_from_a_wrong_password(
        self, service: Service, keeper: sessionkeeper.Keeper
    ) -> None:
        service.server.settings(login_attempts_before_lockout=1)
        with pytest.raises(sessionkeeper.CredentialsRefused):
            keeper.login(service.case.viewer[0], "wrong")
        with pytest.raises(sessionkeeper.UnexpectedAnswer, match="403"):
            keeper.login(*service.case.viewer)


class TestJellyfin108(TestJellyfin):
    """Up to 10.8 a device is one account's, and who comes back is given the token of before."""

    case = replace(
        TestJellyfin.case,
        ways=(PASSWORD,),
        settings={
            "version": "10.8.13",
            "one_session_per_device": True,
            "legacy_authorization": True,
        },
    )
