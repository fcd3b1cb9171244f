"""Access tokens: JWTs signed with HS256 (RFC 7515, RFC 7518). Refresh tokens are chance.

Only what the auth API issues itself is ever read: one algorithm, one key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

_HEADER = {"alg": "HS256", "typ": "JWT"}


def encode_jwt(claims: dict[str, Any], key: bytes) -> str:
    signed = f"{_part(_HEADER)}.{_part(claims)}"
    return f"{signed}.{_signature(signed, key)}"


def decode_jwt(token: str, key: bytes) -> dict[str, Any] | None:
    """The claims, if the signature is ours, whether or not they still hold."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(signed, key).encode()):
        return None
    text = signed.partition(".")[2]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return claims


def refresh_token() -> str:
    return "lxr_" + secrets.token_urlsafe(48)


def digest(token: str) -> str:
    """What the server keeps of a refresh token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _part(value: dict[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _signature(signed: str, key: bytes) -> str:
    return _base64url(hmac.new(key, signed.encode(), hashlib.sha256).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
