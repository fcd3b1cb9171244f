"""Google's own libraries: oauth2client, which has a device login, and google-auth, which has what
comes after it.

    CONTROL CLIENT_ID CLIENT_SECRET USERNAME PASSWORD
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

# Before httplib2 is there: it knows no SSL_CERT_FILE.
os.environ["HTTPLIB2_CA_CERTS"] = os.environ["SSL_CERT_FILE"]

import httplib2
from google.auth.exceptions import OAuthError, RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.credentials import Credentials
from google.oauth2.sts import Client
from oauth2client.client import (
    DeviceFlowInfo,
    FlowExchangeError,
    OAuth2WebServerFlow,
    TokenRevokeError,
)

from tests.clients.approving import approve

SCOPE = "https://www.googleapis.com/auth/youtube.readonly"
CHANNELS = "https://www.googleapis.com/youtube/v3/channels?part=snippet&mine=true"
REVOKE = "https://oauth2.googleapis.com/revoke"


def main() -> Any:
    control, client_id, secret, user, password = sys.argv[1:]
    flow = OAuth2WebServerFlow(client_id, secret, SCOPE)
    codes = flow.step1_get_device_and_user_codes()
    waited = [_exchange(flow, codes) for _ in range(2)]
    approve(control, codes.user_code, user, password)
    time.sleep(codes.interval)
    old = flow.step2_exchange(device_flow_info=codes)
    old.refresh(httplib2.Http())
    try:
        old.revoke(httplib2.Http())
        by_get = "revoked"
    except TokenRevokeError as error:
        by_get = str(error)

    credentials = Credentials(
        old.access_token,
        refresh_token=old.refresh_token,
        token_uri="https://oauth2.googleapis.com/token",
        client_id=client_id,
        client_secret=secret,
    )
    session = AuthorizedSession(credentials)
    (channel,) = session.get(CHANNELS).json()["items"]
    credentials.refresh(Request())
    renewed = credentials.token != old.access_token
    stays = credentials.refresh_token == old.refresh_token
    revoker = Client("https://oauth2.googleapis.com/token")
    revoked = revoker.revoke_token(Request(), old.refresh_token, "refresh_token", REVOKE)
    try:
        revoker.revoke_token(Request(), old.refresh_token, "refresh_token", REVOKE)
        twice = "revoked"
    except OAuthError as error:
        twice = str(error)
    try:
        # Which renews by itself when it hears 401.
        dead = str(session.get(CHANNELS).status_code)
    except RefreshError as error:
        dead = str(error.args[0])
    return {
        "waited": waited,
        "url": codes.verification_url,
        "by_get": by_get,
        "title": channel["snippet"]["title"],
        "renewed": renewed,
        "stays": stays,
        "revoked": revoked,
        "twice": twice,
        "dead": dead,
    }


def _exchange(flow: OAuth2WebServerFlow, codes: DeviceFlowInfo) -> str:
    try:
        flow.step2_exchange(device_flow_info=codes)
    except FlowExchangeError as error:
        return str(error)
    return "tokens"


if __name__ == "__main__":
    print(json.dumps(main()))
