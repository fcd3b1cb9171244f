"""twitchAPI: logs in by a device code, asks, renews, revokes.

CONTROL CLIENT_ID USERNAME PASSWORD
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp
from twitchAPI import oauth
from twitchAPI.helper import first
from twitchAPI.twitch import Twitch
from twitchAPI.type import AuthScope, InvalidRefreshTokenException

from tests.clients.approving import approve

SCOPES = [AuthScope.USER_READ_EMAIL]


async def main() -> Any:
    control, client_id, user, password = sys.argv[1:]
    # aiohttp looks for no proxy unless it is told to, and twitchAPI does not tell it.
    aiohttp.ClientSession.__init__.__kwdefaults__["trust_env"] = True
    twitch = await Twitch(client_id, authenticate_app=False)
    twitch.auto_refresh_auth = False
    flow = oauth.CodeFlow(twitch, SCOPES)
    code, url = await flow.get_code()
    waiting = asyncio.create_task(flow.wait_for_auth_complete())
    await asyncio.sleep(1.5)
    waited = not waiting.done()
    await asyncio.to_thread(approve, control, code, user, password)
    token, refresh = await waiting
    await twitch.set_user_authentication(token, SCOPES, refresh)
    me = await first(twitch.get_users())
    told = await oauth.validate_token(token)
    # A public client has no secret; the library wants one to be named.
    newer, newer_refresh = await oauth.refresh_access_token(refresh, client_id, "")
    revoked = await oauth.revoke_token(client_id, newer)
    again = await oauth.revoke_token(client_id, newer)
    dead = await oauth.validate_token(newer)
    third, _ = await oauth.refresh_access_token(newer_refresh, client_id, "")
    try:
        await oauth.refresh_access_token(refresh, client_id, "")
        reused = "tokens"
    except InvalidRefreshTokenException as error:
        reused = str(error)
    killed = await oauth.validate_token(third)
    await twitch.close()
    return {
        "waited": waited,
        "url": url,
        "code": code,
        "me": [me.display_name, me.email],
        "scopes": [scope.value for scope in told["scopes"]],
        "renewed": newer not in (token, third),
        "revoked": [revoked, again],
        "dead": [dead["status"], dead["message"]],
        "reused": reused,
        "killed": killed["status"],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main())))
