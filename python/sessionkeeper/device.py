"""A login with a code: the user enters it on another device, this one waits.

The core asks the service for the code and polls it; here is what a user interface shows
meanwhile. The QR code is made on this device. The code is kept out of `repr`, because logs get
shared.
"""

from __future__ import annotations

import time

from .records import Status
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from ._types import Run, Stop


class DeviceLogin:
    """What `Keeper.start_device_login()` gives: show it, then `wait()`.

    `user_code` is what the user enters at `verification_uri`, or empty where that is only opened;
    `verification_uri_complete` holds the
    code already, and is None where the service has no such address. `expires_at` is when the code
    ends, in seconds since 1970-01-01 UTC; `interval` is the number of seconds between two requests
    to the service.
    """

    __slots__ = (
        "_ends",
        "_handle",
        "_qr",
        "_run",
        "expires_at",
        "interval",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
    )

    def __init__(self, code: dict[str, Any], run: Run, qr: Callable[[str], list[str]]) -> None:
        self._run = run
        self._qr = qr
        self._handle = code["handle"]
        self.user_code: str = code["user_code"]
        self.verification_uri: str = code["verification_uri"]
        self.verification_uri_complete: str | None = code["verification_uri_complete"]
        self.expires_at: int = code["expires_at"]
        self.interval: int = code["interval"]
        # A clock that is set meanwhile, as at the first start of a Raspberry Pi, changes nothing.
        self._ends = time.monotonic() + self.expires_at - time.time()

    def __repr__(self) -> str:
        return f"<DeviceLogin verification_uri={self.verification_uri!r}>"

    @property
    def address(self) -> str:
        """The address with the code in it where the service has one, else the plain one."""
        return self.verification_uri_complete or self.verification_uri

    def qr(self) -> list[str]:
        """The QR code of `address`: a row of "0" and "1" ("1" is dark) for each row of modules,
        without a quiet zone. `sessionkeeper.qr.png()` draws it. Where the address is too long for
        one it is that of the plain address; empty where that is too long as well."""
        return self._qr(self.address) or self._qr(self.verification_uri)

    def remaining(self) -> int:
        """How many seconds the code is still good for, 0 when it is over."""
        return max(0, -int((time.monotonic() - self._ends) // 1))

    def wait(self, stop: Stop | None = None) -> Session:
        """Waits until the user has entered the code, then logs in. Can be called once.

        `stop` is asked every 100 ms. Raises `CodeExpired` (start another login for a new code),
        `LoginDenied`, `Cancelled` within a second of `stop`, and what every login may raise.
        """
        status = Status.from_dict(self._run("login_finish", {"handle": self._handle}, stop))
        return Session(status, self._run)
