"""python-plexapi: links by PIN, asks, removes another device, and signs out.

python -m tests.clients.plex CONTROL NAME PASSWORD pin|oauth|password
"""

from __future__ import annotations

import json
import sys
from typing import Any

from plexapi.exceptions import Unauthorized
from plexapi.myplex import MyPlexAccount, MyPlexPinLogin

from tests.clients.viewer import approve


def main(control: str, name: str, password: str, way: str) -> None:
    told: dict[str, Any] = {}
    if way == "password":
        account = MyPlexAccount(name, password)
    else:
        login = MyPlexPinLogin(oauth=way == "oauth")
        code = login.pin if way == "pin" else login.oauthUrl().rpartition("code=")[2]
        told["early"] = login.checkLogin()
        approve(control, code, name, password)
        assert login.checkLogin()
        account = MyPlexAccount(token=login.token)
    told.update(email=account.email, token=account.authToken, pong=account.ping())
    other = MyPlexPinLogin(headers={"X-Plex-Client-Identifier": "another"})
    account.link(other.pin)
    assert other.checkLogin()
    told["devices"] = sorted(one.clientIdentifier == "another" for one in account.devices())
    account.device(clientId="another").delete()
    told["other"] = _alive(other.token)
    account.signout()
    told["after"] = _alive(account.authToken)
    print(json.dumps(told))


def _alive(token: str) -> bool:
    try:
        return bool(MyPlexAccount(token=token))
    except Unauthorized:
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])
