"""An authorization request and its answer without a line of ours: RFC 6749 with PKCE, RFC 7636."""

from __future__ import annotations

import base64
import hashlib
import secrets
import urllib.parse

from .device import SCOPE

# The port is any.
LOOPBACK = {
    "client_id": "sessionkeeper-loopback",
    "redirect_uri": "http://127.0.0.1:40123/callback",
}
PASTE = {
    "client_id": "sessionkeeper-paste",
    "redirect_uri": "https://app.home-demo.example/signed-in",
}


class AuthorizationRequest:
    """`changed` are parameters that differ from what is right; empty ones are left out."""

    def __init__(self, endpoint: str, identity: dict[str, str], **changed: str) -> None:
        self.identity = identity
        self.verifier = secrets.token_urlsafe(32)
        self.state = secrets.token_urlsafe(8)
        digest = hashlib.sha256(self.verifier.encode()).digest()
        parameters = {
            **identity,
            "response_type": "code",
            "scope": SCOPE,
            "state": self.state,
            "prompt": "consent",
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
            **changed,
        }
        given = {name: value for name, value in parameters.items() if value}
        self.url = f"{endpoint}?{urllib.parse.urlencode(given)}"

    def exchange(self, code: str, **changed: str) -> dict[str, str]:
        """The form for the token endpoint."""
        return {
            "grant_type": "authorization_code",
            **self.identity,
            "code": code,
            "code_verifier": self.verifier,
            **changed,
        }


def answer_in(location: str, redirect_uri: str) -> dict[str, str]:
    """The parameters that a browser was led back with."""
    address, _, query = location.partition("?")
    assert address == redirect_uri
    return dict(urllib.parse.parse_qsl(query, strict_parsing=True))
