"""GitHub: whoever has a token may revoke it, which is tried afterwards."""

from __future__ import annotations

from tests.python.services.case import Case
from tests.python.services.journey import Journey, Renewing


class TestOAuthApp(Journey):
    case = Case("github", "https://api.github.com/user", denial="denied", settings={"interval": 1})
    poll_path = "/login/oauth/access_token"
    lifetime = "code_lifetime"


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
