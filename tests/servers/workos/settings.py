"""What a test can change about the stand-in: lifetimes, the device flow, what is broken."""

from __future__ import annotations

from dataclasses import dataclass

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    # Of an access token, and of a session that nobody renews.
    access_lifetime: float = 300
    refresh_lifetime: float = 30 * 24 * 3600
    # How long a refresh token that was exchanged gets the same answer again. WorkOS: 30.
    reuse_grace: float = 0
    # After that, reuse ends the session; else it is only refused.
    reuse_ends_session: bool = True
    # The application asks WorkOS whether the session lives; else an access token is good until exp.
    check_sessions: bool = True
    # The Domain of wos_session; empty: the application's host alone.
    cookie_domain: str = ""
    # The application's logout answers 500, and does nothing.
    backend_fails: bool = False
    # What the application calls the logout URL in its answer.
    logout_key: str = "logout_url"
    # False: the application has no way to renew, as if /api/refresh/ had never been written.
    refresh_path: bool = True
    # The port of WorkOS is closed: its pages and its API are gone, the application is there.
    workos_down: bool = False
    # Where a logout leads that names no registered return_to; empty: none is configured.
    homepage: str = "https://app.workos-demo.example/"
    device_expires_in: float = 300
    device_interval: float = 5
    # So many polls of a device code are answered slow_down, whenever they come.
    slow_down_times: int = 0
