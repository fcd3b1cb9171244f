"""PyTrakt: logs in by a device code, asks, renews. It has no revocation: its own HTTP client sends
the one that Trakt documents.

    CONTROL CLIENT_ID CLIENT_SECRET USERNAME PASSWORD DIRECTORY
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import trakt.core
from trakt.api import HttpClient
from trakt.auth.device import DeviceAuthAdapter
from trakt.errors import OAuthException, OAuthRefreshException, TraktException

from tests.clients.approving import approve


def main() -> Any:
    control, client_id, secret, user, password, home = sys.argv[1:]
    trakt.core.CLIENT_ID, trakt.core.CLIENT_SECRET = client_id, secret
    trakt.core.CONFIG_PATH = f"{home}/pytrakt.json"
    api, config = trakt.core.api(), trakt.core.config()
    device = DeviceAuthAdapter(api, config)
    codes = device.get_device_code()
    waited = [_poll(device, codes["device_code"]) for _ in range(2)]
    approve(control, codes["user_code"], user, password)
    time.sleep(codes["interval"])
    tokens = device.get_device_token(codes["device_code"])
    again = _poll(device, codes["device_code"])

    who = api.get("users/settings")["user"]["username"]
    first = config.OAUTH_REFRESH
    api.auth.refresh_token()
    renewed = first != config.OAUTH_REFRESH
    still = api.get("users/settings")["user"]["username"]
    access = config.OAUTH_TOKEN
    client = {"client_id": client_id, "client_secret": secret}
    revoked = api.post("oauth/revoke", {"token": access, **client})
    return {
        "waited": waited,
        "lifetime": tokens["expires_in"],
        "again": again,
        "who": [who, still],
        "renewed": renewed,
        "revoked": revoked,
        "dead": [_asked(api), _renewed(api)],
        "access": access,
        "refresh": config.OAUTH_REFRESH,
    }


def _poll(device: DeviceAuthAdapter, code: str) -> str:
    """The library's exception, by the status; a status without one leaves it a body to read."""
    try:
        device.get_device_token(code)
    except TraktException as error:
        return type(error).__name__
    return "tokens"


def _asked(api: HttpClient) -> str:
    try:
        api.get("users/settings")
    except OAuthException as error:
        return type(error).__name__
    return "still there"


def _renewed(api: HttpClient) -> str:
    try:
        api.auth.refresh_token()
    except OAuthRefreshException as error:
        return f"{error.error}: {error.error_description}"
    return "still there"


if __name__ == "__main__":
    print(json.dumps(main()))
