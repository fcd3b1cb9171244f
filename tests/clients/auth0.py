"""Auth0's own package and Authlib: codes with PKCE, who am I, renewal with rotation, revocation.

No package fills the login pages, which is a browser's work; here requests does it.
"""

from __future__ import annotations

import html
import json
import re
import secrets
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from auth0.authentication import GetToken, RevokeToken, Users
from auth0.authentication.exceptions import Auth0Error
from auth0.authentication.token_verifier import AsymmetricSignatureVerifier, TokenVerifier
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

SCOPE = "openid profile email offline_access"


def main(
    tenant: str, client_id: str, callback: str, name: str, password: str
) -> dict[str, dict[str, Any]]:
    given = (tenant.partition("://")[2], client_id, callback, name, password)
    return {"auth0-python": with_auth0(*given), "authlib": with_authlib(*given)}


def with_auth0(
    domain: str, client_id: str, callback: str, name: str, password: str
) -> dict[str, Any]:
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(12)
    asked = authlib(client_id, callback)
    address, _ = asked.create_authorization_url(
        f"https://{domain}/authorize", code_verifier=verifier, nonce=nonce
    )
    code = parse_qs(urlsplit(sign_in(address, name, password)).query)["code"][0]
    tokens = GetToken(domain, client_id)
    first = tokens.authorization_code_pkce(verifier, code, callback)
    keys = AsymmetricSignatureVerifier(f"https://{domain}/.well-known/jwks.json")
    claims = TokenVerifier(keys, f"https://{domain}/", client_id).verify(first["id_token"], nonce)
    second = tokens.refresh_token(first["refresh_token"])
    told = {
        "email": Users(domain).userinfo(first["access_token"])["email"],
        "same person": claims["email"],
        "rotated": second["refresh_token"] != first["refresh_token"],
        "revoked": RevokeToken(domain, client_id).revoke_refresh_token(second["refresh_token"]),
    }
    try:
        tokens.refresh_token(second["refresh_token"])
    except Auth0Error as error:
        told["after"] = [error.status_code, error.error_code, error.message]
    return told


def with_authlib(
    domain: str, client_id: str, callback: str, name: str, password: str
) -> dict[str, Any]:
    verifier = secrets.token_urlsafe(48)
    session = authlib(client_id, callback)
    address, _ = session.create_authorization_url(
        f"https://{domain}/authorize", code_verifier=verifier
    )
    back = sign_in(address, name, password)
    url = f"https://{domain}/oauth/token"
    first = session.fetch_token(url, authorization_response=back, code_verifier=verifier)
    me = session.get(f"https://{domain}/userinfo").json()
    second = session.refresh_token(url, first["refresh_token"])
    revoked = session.revoke_token(f"https://{domain}/oauth/revoke", second["refresh_token"])
    told = {"email": me["email"], "revoked": revoked.status_code}
    told["rotated"] = second["refresh_token"] != first["refresh_token"]
    try:
        session.refresh_token(url, second["refresh_token"])
    except AuthlibBaseError as error:
        told["after"] = error.error
    return told


def authlib(client_id: str, callback: str) -> OAuth2Session:
    return OAuth2Session(
        client_id,
        scope=SCOPE,
        redirect_uri=callback,
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        revocation_endpoint_auth_method="none",
    )


def sign_in(address: str, name: str, password: str) -> str:
    """The pages, and where they end."""
    browser = requests.Session()
    page = browser.get(address, timeout=5)
    for _ in range(2):
        (state,) = re.findall(r'name="state" value="([^"]*)"', page.text)
        form = {"state": html.unescape(state), "username": name, "password": password}
        page = browser.post(page.url, {**form, "action": "default"}, timeout=5)
        if "/u/login" not in page.url:
            break
    page.raise_for_status()
    return page.url


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
