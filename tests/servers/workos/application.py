"""The application in front of WorkOS: Django, configured without a project, and the real package.

It keeps nothing of its own: the session is sealed in the browser's cookie, by the package. What the
package is given is where the local WorkOS listens; in the logout URL, which a browser opens, the
true host takes its place.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import django.conf
import httpx2
import jwt.api_jwt
from django.core.asgi import get_asgi_application
from workos import WorkOSClient
from workos.session import Session, seal_session_from_auth_response
from workos.user_management.models import AuthenticateResponse

from tests.servers.front.django_settings import BEHIND_THE_FRONT

from .settings import Settings

HOST = "app.workos-demo.example"
BASE = f"https://{HOST}"
COOKIE = "wos_session"
_URLS = f"{__package__}.urls"


@dataclass
class Account:
    """What the application knows of its environment at WorkOS, and of its cookies."""

    client_id: str
    api_key: str
    cookie_password: str


class Backend:
    def __init__(self, account: Account, workos_url: str, settings: Settings) -> None:
        self._account = account
        self._workos_url = workos_url
        self.settings = settings
        self.workos = WorkOSClient(
            api_key=account.api_key,
            client_id=account.client_id,
            max_retries=0,
            http_client=httpx2.Client(trust_env=False, verify=False, timeout=10),
            base_url=workos_url,
        )

    def session(self, sealed: str) -> Session:
        password = self._account.cookie_password
        return self.workos.user_management.load_sealed_session(
            session_data=sealed, cookie_password=password
        )

    def seal(self, answer: AuthenticateResponse) -> str:
        """The cookie's value."""
        return seal_session_from_auth_response(
            access_token=answer.access_token,
            refresh_token=answer.refresh_token,
            user=answer.user.to_dict(),
            cookie_password=self._account.cookie_password,
        )

    def claims(self, access_token: str) -> dict[str, Any]:
        """Of a token that holds. Raises jwt.InvalidTokenError."""
        key = self.session("").jwks.get_signing_key_from_jwt(access_token)
        return jwt.decode(
            access_token, key.key, algorithms=["RS256"], options={"verify_aud": False}
        )

    def logout_url(self, sealed: str) -> str:
        """Raises ValueError when the cookie holds no session, or one whose access token is over."""
        url = self.session(sealed).get_logout_url(return_to=f"{BASE}/goodbye")
        return url.replace(self._workos_url, "https://api.workos.com", 1)

    def lives(self, user_id: str, session_id: str) -> bool:
        """Whether WorkOS still counts the session among the user's active ones."""
        pages = self.workos.user_management.list_sessions(user_id, limit=100)
        return any(one.id == session_id for one in pages.auto_paging_iter())


def application(backend: Backend, secret_key: str) -> Any:
    """The ASGI application. Once in a process: Django's settings are the process's."""
    # The key set is fetched by urllib, which has no other way to be told.
    os.environ["no_proxy"] = "*"
    _set_clock(lambda: backend.settings.clock_offset)
    django.conf.settings.configure(
        SECRET_KEY=secret_key,
        ALLOWED_HOSTS=[HOST],
        ROOT_URLCONF=_URLS,
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        **BEHIND_THE_FRONT,
        BACKEND=backend,
    )
    # Django would read it at the first request, too late for a mistake in it.
    importlib.import_module(_URLS)
    return get_asgi_application()


def _set_clock(offset: Callable[[], float]) -> None:
    """Let the package that checks access tokens see the stand-in's clock."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(seconds=offset())

    jwt.api_jwt.datetime = Clock
