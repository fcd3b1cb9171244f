"""A login in a browser: the user logs in on the service's own page, and the browser comes back.

The core makes the address and checks what comes back (RFC 6749, RFC 7636, RFC 9207); here is what a
user interface needs in between. The address holds what an answer has to bring along, so it is kept
out of `repr`, because logs get shared.
"""

from __future__ import annotations

import time

from .records import Status
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from ._types import Run, Stop


class BrowserLogin:
    """What `Keeper.start_browser_login()` gives: open `url` in a browser, then `wait()` for it, or
    give `finish()` the address at which it ended.

    `redirect_uri` is where the browser ends, `expires_at` when it has to be there, in seconds since
    1970-01-01 UTC.
    """

    __slots__ = ("_ends", "_handle", "_qr", "_run", "expires_at", "redirect_uri", "url")

    def __init__(self, begun: dict[str, Any], run: Run, qr: Callable[[str], list[str]]) -> None:
        self._run = run
        self._qr = qr
        self._handle = begun["handle"]
        self.url: str = begun["url"]
        self.redirect_uri: str = begun["redirect_uri"]
        self.expires_at: int = begun["expires_at"]
        # A clock that is set meanwhile, as at the first start of a Raspberry Pi, changes nothing.
        self._ends = time.monotonic() + self.expires_at - time.time()

    def __repr__(self) -> str:
        return f"<BrowserLogin redirect_uri={self.redirect_uri!r}>"

    def qr(self) -> list[str]:
        """The QR code of `url`: a row of "0" and "1" ("1" is dark) for each row of modules, without
        a quiet zone. Empty where the address is too long for one."""
        return self._qr(self.url)

    def remaining(self) -> int:
        """How many seconds are left, 0 when it is over."""
        return max(0, -int((time.monotonic() - self._ends) // 1))

    def wait(self, stop: Stop | None = None) -> Session:
        """Waits until the browser ends on this machine, then logs in. For `redirect="loopback"`
        alone; can be called once.

        `stop` is asked every 100 ms. Raises `CodeExpired` when nobody came in time, `LoginDenied`
        where it was refused in the browser or the service does not accept what it gave, `Cancelled`
        within a second of `stop`, and what every login may raise. Then begin another one.
        """
        return self._finish(None, stop)

    def finish(self, redirected_to: str | bytes, *, stop: Stop | None = None) -> Session:
        """Logs in with the address at which the browser ended, as its address bar shows it. What
        the page says does not matter: it may be an error.

        SECRET: the address holds what logs in. Raises `InvalidInput` where it is no answer to this
        login; another address may follow then. After anything else begin another login. Raises as
        `wait()` does.
        """
        return self._finish(_as_bytes(redirected_to), stop)

    def _finish(self, redirected_to: bytes | None, stop: Stop | None) -> Session:
        options = {"handle": self._handle, "redirected_to": redirected_to}
        return Session(
            Status.from_dict(self._run("browser_login_finish", options, stop)), self._run
        )


def _as_bytes(address: str | bytes) -> bytes:
    """What is neither is refused by the core."""
    if not isinstance(address, str):
        return address
    # The error of `encode` holds the whole text; it ends here, before ours is made.
    try:
        return address.encode()
    except UnicodeError:
        pass
    from .errors import InvalidInput

    raise InvalidInput("The address holds a character that cannot be used.")
