"""JWTs signed with HS512 (RFC 7515, RFC 7518), and the random values of cookies and forms.

Only what this server issues itself is ever read: one algorithm, one key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

_HEADER = {"alg": "HS512", "typ": "JWT"}


def encode_jwt(claims: dict[str, Any], key: bytes) -> str:
    signed = f"{_part(_HEADER)}.{_part(claims)}"
    return f"{signed}.{_signature(signed, key)}"


def decode_jwt(token: str, key: bytes) -> dict[str, Any] | None:
    """The claims, if the signature is ours. Whether they still hold is the store's matter."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(signed, key).encode()):
        return None
    claims: dict[str, Any] = json.loads(_unpadded(signed.partition(".")[2]))
    return claims


def sealed_value() -> str:
    """Looks like a JWE in compact form (five parts); holds nothing but chance."""
    header = _part({"alg": "dir", "enc": "A256GCM"})
    parts = [base64url(secrets.token_bytes(n)) for n in (12, 180, 16)]
    return f"{header}..{'.'.join(parts)}"


def phoenix_value() -> str:
    """Looks like an encrypted Phoenix session."""
    parts = [base64url(secrets.token_bytes(n)) for n in (16, 96, 32)]
    return "QTEyOEdDTQ." + ".".join(parts)


def form_state() -> str:
    """Opaque, with each character that a careless client forgets to escape in a query or in HTML,
    and none that a cookie's value may not have."""
    parts = [secrets.token_urlsafe(9) for _ in range(3)]
    return f"{parts[0]}+{parts[1]}/&{parts[2]}=="


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _part(value: dict[str, Any]) -> str:
    return base64url(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _signature(signed: str, key: bytes) -> str:
    return base64url(hmac.new(key, signed.encode(), hashlib.sha512).digest())


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
