"""Time-based one-time passwords (RFC 6238), as authenticator apps make them: six digits, 30 s."""

from __future__ import annotations

import hashlib
import hmac
import struct

# What the QR code of the service has put into the viewer's app.
KEY = b"12345678901234567890"
PERIOD = 30


def step(now: float) -> int:
    return int(now // PERIOD)


def code(counter: int, key: bytes = KEY, digits: int = 6) -> str:
    """Of one step of time: RFC 4226 section 5.3, with the counter of RFC 6238 section 4.2."""
    mac = hmac.new(key, struct.pack(">Q", counter), hashlib.sha1).digest()
    at = mac[-1] & 0xF
    number = int.from_bytes(mac[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_of(given: str, now: float) -> int | None:
    """The step that the code is of: this one or a neighbour (RFC 6238 section 5.2)."""
    here = step(now)
    return next((one for one in (here - 1, here, here + 1) if code(one) == given), None)
