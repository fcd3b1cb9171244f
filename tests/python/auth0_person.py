"""A person in front of Auth0's pages, and a program that exchanges what comes of it.

Standard library; nothing of ours.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.servers.auth0 import APPLICATION, CALLBACKS, CLIENT_ID, TENANT
from tests.servers.browser import Answer, Browser
from tests.servers.caller import Answer as Bare
from tests.servers.caller import ask, bearer
from tests.servers.fixture import StandIn

ROOT = f"https://{TENANT}"
SITE = f"https://{APPLICATION}"
VERIFIER = "v" * 43
SCOPE = "openid profile email offline_access"


def address(**other: str) -> str:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    asked = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": CALLBACKS[CLIENT_ID],
        "scope": SCOPE,
        "state": "mine",
        "nonce": "once",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **other,
    }
    return f"{ROOT}/authorize?{urlencode({k: v for k, v in asked.items() if v})}"


def fill(browser: Browser, page: Answer, follow: bool = True, **fields: str) -> Answer:
    """The form of this page, with its hidden state."""
    (state,) = re.findall(r'<input type="hidden" name="state" value="([^"]*)"', page.text)
    form = {"state": html.unescape(state), "action": "default", **fields}
    return browser.post(page.url, urlencode(form).encode(), follow)


def sign_in(browser: Browser, who: tuple[str, str], start: str = "") -> Answer:
    """Up to where the pages lead."""
    page = browser.get(start or address())
    if "/u/login/identifier" in page.url:
        page = fill(browser, page, username=who[0])
        return fill(browser, page, username=who[0], password=who[1])
    return fill(browser, page, username=who[0], password=who[1])


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def token(server: StandIn, **form: str) -> Bare:
    return ask(server, "POST", f"{ROOT}/oauth/token", form={"client_id": CLIENT_ID, **form})


def redeem(server: StandIn, code: str, **other: str) -> Bare:
    form = {"code": code, "code_verifier": VERIFIER, "redirect_uri": CALLBACKS[CLIENT_ID], **other}
    return token(server, grant_type="authorization_code", **form)


def renew(server: StandIn, refresh_token: str) -> Bare:
    return token(server, grant_type="refresh_token", refresh_token=refresh_token)


def log_in(server: StandIn, browser: Browser, who: tuple[str, str] = StandIn.VIEWER) -> Any:
    answer = redeem(server, query(sign_in(browser, who).url)["code"])
    assert answer.status == 200
    return answer.json


def who_am_i(server: StandIn, access_token: str) -> Bare:
    return ask(server, "GET", f"{ROOT}/userinfo", headers=bearer(access_token))


def is_refused(answer: Bare) -> bool:
    told = "Unknown or invalid refresh token."
    refusal = {"error": "invalid_grant", "error_description": told}
    return (answer.status, answer.json) == (403, refusal)


def is_signed_in(browser: Browser) -> bool:
    found = query(browser.get(address(prompt="none"), follow=False).headers["location"])
    assert found["state"] == "mine"
    assert ("code" in found) != (found.get("error") == "login_required")
    return "code" in found
