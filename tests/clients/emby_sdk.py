"""Emby's own generated SDK (embyclient): signs in, asks, and signs out.

python -m tests.clients.emby_sdk ADDRESS NAME PASSWORD
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import emby_client
from emby_client.rest import ApiException

_BY = 'Emby Client="Vouching", Device="Test bench", DeviceId="vouching-device", Version="1.0"'


def main(address: str, name: str, password: str) -> None:
    configuration = emby_client.Configuration()
    configuration.host = f"{address}/emby"
    configuration.ssl_ca_cert = os.environ["SSL_CERT_FILE"]
    configuration.proxy = os.environ["HTTPS_PROXY"]
    client = emby_client.ApiClient(configuration)
    users, sessions = emby_client.UserServiceApi(client), emby_client.SessionsServiceApi(client)
    body = emby_client.AuthenticateUserByName(username=name, pw=password)
    try:
        answer = users.post_users_authenticatebyname(body, _BY)
    except ApiException as error:
        print(json.dumps({"refused": error.status}))
        return
    client.set_default_header("X-Emby-Token", answer.access_token)
    told: dict[str, Any] = {
        "token": answer.access_token,
        "name": users.get_users_by_id(answer.user.id).name,
        "devices": [one.device_id for one in sessions.get_sessions()],
        "system": emby_client.SystemServiceApi(client).get_system_info().version,
    }
    try:
        emby_client.DeviceServiceApi(client).get_devices()
    except ApiException as error:
        told["all_devices"] = error.status
    sessions.post_sessions_logout()
    try:
        users.get_users_by_id(answer.user.id)
    except ApiException as error:
        told["after"] = error.status
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
