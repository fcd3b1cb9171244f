"""The device login with requests-oauthlib, and the rest with PyGithub, which has no such login."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import requests
from github import Auth, BadCredentialsException, Github, GithubException
from oauthlib.oauth2 import DeviceClient
from oauthlib.oauth2.rfc6749.errors import OAuth2Error
from requests_oauthlib import OAuth2Session

from .viewer import approve

JSON = {"Accept": "application/json"}


def main(client_id: str, secret: str, control: str, name: str, password: str) -> dict[str, Any]:
    form = {"client_id": client_id, "scope": "read:user user:email"}
    begun = requests.post("https://github.com/login/device/code", form, headers=JSON, timeout=5)
    code = begun.json()
    session = OAuth2Session(client=DeviceClient(client_id))
    errors = []
    token: dict[str, Any] = {}
    while not token:
        try:
            token = session.fetch_token(
                "https://github.com/login/oauth/access_token",
                device_code=code["device_code"],
                include_client_id=True,
                headers=JSON,
            )
        except OAuth2Error as error:
            errors.append(error.error)
            approve(control, code["user_code"], name, password)
            time.sleep(code["interval"])
    told = {"errors": errors, "first": who_am_i(token["access_token"])}
    if "refresh_token" in token:
        application = Github().get_oauth_application(client_id, secret)
        renewed = application.refresh_access_token(token["refresh_token"])
        told["before"] = who_am_i(token["access_token"])
        try:
            application.refresh_access_token(token["refresh_token"])
        except GithubException as error:
            told["again"] = error.data["error"]
        token = {"access_token": renewed.token, "refresh_token": renewed.refresh_token}
        told["renewed"] = who_am_i(token["access_token"])
    listed = [token[one] for one in ("access_token", "refresh_token") if one in token]
    revoked = requests.post(
        "https://api.github.com/credentials/revoke", json={"credentials": listed}, timeout=5
    )
    return {**told, "revoked": revoked.status_code, "after": who_am_i(token["access_token"])}


def who_am_i(token: str) -> str:
    try:
        return str(Github(auth=Auth.Token(token)).get_user().email)
    except BadCredentialsException as error:
        return f"{error.status} {error.data['message']}"


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
