"""Quick Connect: codes that a device shows, and that a viewer allows elsewhere.

In memory only, as in the real server. What a login is, the caller knows.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Callable

from tests.servers.mediabrowser_parts.answers import moment
from tests.servers.mediabrowser_parts.header import Identity

from .settings import Settings


@dataclass
class Code:
    secret: str
    code: str
    by: Identity
    made_at: float
    authenticated: bool = False

    def shown(self) -> dict[str, Any]:
        return {
            "Authenticated": self.authenticated,
            "Secret": self.secret,
            "Code": self.code,
            "DeviceId": self.by.device_id,
            "DeviceName": self.by.device,
            "AppName": self.by.client,
            "AppVersion": self.by.version,
            "DateAdded": moment(self.made_at),
        }


class QuickConnect:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._codes: dict[str, Code] = {}
        # Secret -> when it was allowed, and the answer to it.
        self._allowed: dict[str, tuple[float, dict[str, Any]]] = {}

    def initiate(self, by: Identity) -> Code:
        self._expire()
        secret = secrets.token_hex(32).upper()
        made = Code(secret, str(100_000 + secrets.randbelow(900_000)), by, self._settings.now())
        self._codes[made.code] = made
        return made

    def of_secret(self, secret: str) -> Code | None:
        self._expire()
        return next((one for one in self._codes.values() if one.secret == secret), None)

    def of_code(self, code: str) -> Code | None:
        self._expire()
        return self._codes.get(code)

    def allow(self, code: Code, log_in: Callable[[Identity], dict[str, Any]]) -> None:
        # Shown for a minute more at least.
        code.made_at = self._settings.now() + 60
        self._allowed[code.secret] = (self._settings.now(), log_in(code.by))
        code.authenticated = True

    def answer(self, secret: str) -> dict[str, Any] | None:
        """The login that was allowed; the same one each time, whatever has become of it."""
        self._expire()
        return self._allowed[secret][1] if secret in self._allowed else None

    def forget(self) -> None:
        self._codes.clear()
        self._allowed.clear()

    def _expire(self) -> None:
        oldest = self._settings.now() - self._settings.quick_connect_lifetime
        self._codes = {name: one for name, one in self._codes.items() if one.made_at >= oldest}
        self._allowed = {name: one for name, one in self._allowed.items() if one[0] >= oldest}
