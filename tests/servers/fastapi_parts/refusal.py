"""Why credentials are not accepted, and the answer to that: RFC 6750, section 3."""

from __future__ import annotations

_TEXTS = {
    "missing": "Not authenticated",
    "invalid": "Could not validate credentials",
    "expired": "Token has expired",
    "revoked": "Token has been revoked",
    "password": "Incorrect username or password",
    "reused": "Refresh token was used before",
}


class Refused(Exception):
    """`reason` is a key of the texts above; the status is 401, an older server's may be 403."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(_TEXTS[reason])
        self.reason = reason
        self.status = status
