"""The random values of cookies and forms."""

from __future__ import annotations

import base64
import secrets


def sealed_value() -> str:
    """Looks like a JWE in compact form (five parts); holds nothing but chance."""
    header = base64url(b'{"alg":"dir","enc":"A256GCM"}')
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
