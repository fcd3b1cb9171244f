"""Google's hosts as one service: the login of oauth.py, and the APIs of api.py."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Host, Router

from tests.servers.front.store import User
from tests.servers.grants.service import GrantService
from tests.servers.grants.store import Grant, Store

from .api import Api
from .oauth import CLIENT_ID, CLIENT_SECRET, OAuth
from .settings import Settings

OAUTH = "oauth2.googleapis.com"
WWW = "www.googleapis.com"
YOUTUBE = "youtube.googleapis.com"
OPENID = "openidconnect.googleapis.com"


@dataclass
class Account(User):
    """The number that Google calls `sub`."""

    @staticmethod
    def new_id() -> str:
        return f"1{secrets.randbelow(10**20):020d}"


class Service(GrantService):
    hosts = (OAUTH, WWW, YOUTUBE, OPENID)

    def __init__(self, directory: Path) -> None:
        self.parameters = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        settings = Settings()
        store = Accounts(directory / "state.json", settings)
        oauth, api = OAuth(store, settings), Api(store, settings)
        routes = [
            Host(OAUTH, Router(oauth.routes())),
            Host(WWW, Router(api.youtube() + api.userinfo("/oauth2/v3/userinfo"))),
            Host(YOUTUBE, Router(api.youtube())),
            Host(OPENID, Router(api.userinfo("/v1/userinfo"))),
        ]
        super().__init__(store, Starlette(routes=routes))


class Accounts(Store):
    settings: Settings

    def __init__(self, file: Path, settings: Settings) -> None:
        super().__init__(file, settings, Account)

    def end(self, session: Grant, by: str) -> None:
        """A grant is one of the account to the project: with one, all of them end."""
        until = self.now() + self.settings.revocation_delay
        for grant in self.sessions.values():
            if grant.email != session.email or not grant.alive:
                continue
            grant.alive, grant.ended_by = False, by
            for token in grant.tokens.values():
                token.ended = token.ended or token.kind == "refresh"
                token.expires_at = min(token.expires_at, until)
        self.save()
