"""The documented device login, as programs for it do it with requests, and pyrd with its tokens.

No library on PyPI signs in: each takes a token that was got elsewhere. pyrd has a call to disable
one, but reads JSON where the service documents an empty 204; so this is asked with requests.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp
import requests
from realdebrid import RealDebrid
from realdebrid.exceptions import APIError

from .viewer import approve

OAUTH = "https://api.real-debrid.com/oauth/v2"
REST = "https://api.real-debrid.com/rest/1.0"
CLIENT_ID = "X245A4XAIBGVM"


def main(control: str, name: str, password: str) -> dict[str, Any]:
    query = {"client_id": CLIENT_ID, "new_credentials": "yes"}
    begun = requests.get(f"{OAUTH}/device/code", query, timeout=5).json()
    polls = []
    deadline = time.monotonic() + begun["expires_in"]
    while time.monotonic() < deadline:
        asked = {"client_id": CLIENT_ID, "code": begun["device_code"]}
        answer = requests.get(f"{OAUTH}/device/credentials", asked, timeout=5)
        polls.append(answer.status_code)
        if "error" not in answer.text:
            break
        approve(control, begun["user_code"], name, password)
        time.sleep(begun["interval"])
    credentials = answer.json()
    tokens = exchange(credentials, begun["device_code"])
    first = use(tokens["access_token"])
    renewed = exchange(credentials, tokens["refresh_token"])
    return {"polls": polls, "first": first, "renewed": use(renewed["access_token"])}


def exchange(credentials: dict[str, str], code: str) -> Any:
    form = {**credentials, "code": code, "grant_type": "http://oauth.net/grant_type/device/1.0"}
    answer = requests.post(f"{OAUTH}/token", form, timeout=5)
    answer.raise_for_status()
    return answer.json()


def use(token: str) -> dict[str, Any]:
    """Who am I, disabling, and who am I again."""
    me = asyncio.run(ask_library(token))
    headers = {"Authorization": f"Bearer {token}"}
    disabled = requests.get(f"{REST}/disable_access_token", headers=headers, timeout=5)
    return {"me": me, "disabled": disabled.status_code, "after": asyncio.run(ask_library(token))}


async def ask_library(token: str) -> Any:
    async with RealDebrid(token) as library:
        headers = dict(library.session.headers)
        await library.session.close()
        # Its own session looks for no proxy, and it has no setting for one.
        library.session = aiohttp.ClientSession(headers=headers, trust_env=True)
        try:
            answer = await library.user.get()
            return (await answer.json())["email"]
        except APIError as error:
            return str(error)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
