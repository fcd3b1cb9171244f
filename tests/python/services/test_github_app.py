"""GitHub, with a GitHub App: tokens that end after hours, and are renewed."""

from __future__ import annotations

import sessionkeeper
from tests.python.services.case import Case
from tests.python.services.journey import Renewing
from tests.python.services.service import Service


class TestGitHubApp(Renewing):
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
