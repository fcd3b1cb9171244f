"""emby-cli's client: signs in, asks who that is, and signs out.

python -m tests.clients.emby ADDRESS NAME PASSWORD
"""

from __future__ import annotations

import json
import sys

import requests
from emby_cli.client import EmbyClient


def main(address: str, name: str, password: str) -> None:
    client = EmbyClient(address, use_auth_cache=False)
    try:
        user = client.authenticate(name, password)
    except requests.HTTPError as error:
        print(json.dumps({"refused": error.response.status_code}))
        return
    told = {"token": client.access_token, "name": user["Name"]}
    told["me"] = client.get_current_user(retries=1)["Name"]
    told["system"] = client.get_system_info()["Version"]
    client.logout_session()
    # Without its password it does not sign in again by itself.
    later = EmbyClient(address, api_key=client.access_token, use_auth_cache=False)
    try:
        later.get_system_info()
        told["after"] = "alive"
    except RuntimeError as error:
        told["after"] = type(error).__name__
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
