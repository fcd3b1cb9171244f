"""The device authorization grant, RFC 8628: codes, polls, and what the user says to it."""

from __future__ import annotations

from typing import Any

from . import tokens
from .store import Device, Refused, Store, User

# Where a browser goes: AuthKit's pages, on a domain of the application's own.
AUTHKIT = "signin.workos-demo.example"
VERIFICATION_URI = f"https://{AUTHKIT}/device"


class Devices:
    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self) -> dict[str, Any]:
        """The answer of section 3.2."""
        settings = self._store.settings
        expires_at = self._store.now() + settings.device_expires_in
        device = Device(
            tokens.opaque(64), tokens.new_user_code(), expires_at, settings.device_interval
        )
        self._store.devices[device.device_code] = device
        self._store.save()
        return {
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": VERIFICATION_URI,
            "verification_uri_complete": f"{VERIFICATION_URI}?user_code={device.user_code}",
            "expires_in": _number(settings.device_expires_in),
            "interval": _number(settings.device_interval),
        }

    def poll(self, device_code: str) -> User:
        """Who signed in; the code is used up by it. Raises Refused as section 3.5 says."""
        device = self._store.devices.get(device_code)
        if device is None or device.state == "used":
            raise Refused("invalid_grant", "Invalid device code.")
        now = self._store.now()
        # "Polling too fast" allows for a network that was faster this time.
        too_fast = now - device.polled_at < 0.9 * device.interval
        device.polled_at = now
        if device.expires_at <= now:
            raise Refused("expired_token")
        if too_fast or device.slow_downs < self._store.settings.slow_down_times:
            # "The interval MUST be increased by 5 seconds for this and all subsequent requests."
            device.interval += 5
            device.slow_downs += 1
            self._store.save()
            raise Refused("slow_down")
        if device.state == "denied":
            raise Refused("access_denied")
        user = self._store.users.get(device.email)
        if device.state == "pending" or user is None:
            self._store.save()
            raise Refused("authorization_pending")
        device.state = "used"
        self._store.save()
        return user

    def waiting(self, user_code: str) -> Device | None:
        """The device that shows this code, while a user can still answer it. Letters count, not
        their case nor what stands between them."""
        wanted, now = _letters(user_code), self._store.now()
        for device in self._store.devices.values():
            open_still = device.state == "pending" and device.expires_at > now
            if open_still and _letters(device.user_code) == wanted:
                return device
        return None

    def answer(self, device: Device, user: User, *, allow: bool) -> None:
        device.state = "approved" if allow else "denied"
        device.email = user.email
        self._store.save()


def _letters(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


def _number(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else seconds
