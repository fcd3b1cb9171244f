"""What a test can change about the issuer: lifetimes, and answers that a client must not follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tests.servers.front import settings as front


@dataclass
class Settings(front.Settings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {
        "endpoint": (
            "token_endpoint",
            "device_authorization_endpoint",
            "revocation_endpoint",
            "end_session_endpoint",
            "userinfo_endpoint",
        )
    }

    # For tokens and codes issued from now on, whole seconds.
    access_lifetime: float = 3600
    refresh_lifetime: float = 14 * 24 * 3600
    device_lifetime: float = 600
    # Sent as `interval` with a device code; 0 sends none, as oidc-provider does.
    device_interval: int = 0
    # A poll is answered slow_down where it otherwise is authorization_pending.
    slow_down: bool = False
    # False: the end_session_endpoint answers 404 to POST, as oidc-provider does by default.
    end_session_post: bool = True
    # Discovery names another issuer.
    discovery_issuer: str = ""
    # Discovery has one endpoint on another host.
    endpoint_host: str = ""
    endpoint: str = "token_endpoint"
