"""What a service with a device login remembers: grants with their tokens, and waiting devices.

Tokens are opaque: what one opens is decided by what the file says of it, never by its looks. A
token that ended stays known, so that the journal can name the grant it belonged to.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.servers.front import store
from tests.servers.front.settings import Settings
from tests.servers.front.store import User


@dataclass
class Token:
    # "access" or "refresh".
    kind: str
    expires_at: float
    # Revoked, or taken away by a renewal.
    ended: bool = False
    # A refresh token that was exchanged.
    exchanged: bool = False


@dataclass
class Grant:
    """What a user allowed a client once: a session of the control interface."""

    id: str
    email: str
    client_id: str
    scope: str
    created_at: float
    tokens: dict[str, Token] = field(default_factory=dict)
    alive: bool = True
    # "revoked", "reuse" or "somebody else".
    ended_by: str = ""
    renewals: int = 0
    # Revocations of a token of it that the service carried out.
    revocations: int = 0


@dataclass
class Device:
    """A device that asked for codes, and what its user said."""

    device_code: str
    user_code: str
    client_id: str
    scope: str
    expires_at: float
    interval: float
    polled_at: float = 0
    slow_downs: int = 0
    # "pending", "approved", "denied" or "used".
    state: str = "pending"
    email: str = ""


@dataclass
class DeviceSettings(Settings):
    device_expires_in: float = 600
    device_interval: float = 5
    # So many polls of each device are told to slow down, however slow they are.
    slow_down_times: int = 0


class Store(store.Store[User, Grant]):
    def __init__(self, file: Path, settings: DeviceSettings, user_type: type[User] = User) -> None:
        self.device_settings = settings
        # By device code.
        self.devices: dict[str, Device] = {}
        super().__init__(file, settings, Grant, user_type)

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        for grant in self.sessions.values():
            known: dict[str, Any] = grant.tokens
            grant.tokens = {text: Token(**one) for text, one in known.items()}
        self.devices = {one["device_code"]: Device(**one) for one in state["devices"]}

    def save(self, **more: Any) -> None:
        super().save(devices=[asdict(device) for device in self.devices.values()], **more)

    def forget_sessions(self) -> None:
        self.devices.clear()
        super().forget_sessions()

    # Devices

    def add_device(self, device_code: str, user_code: str, client_id: str, scope: str) -> Device:
        settings = self.device_settings
        expires_at = self.now() + settings.device_expires_in
        interval = settings.device_interval
        device = Device(device_code, user_code, client_id, scope, expires_at, interval)
        self.devices[device_code] = device
        self.save()
        return device

    def poll(self, device: Device, *, hurried: bool = True) -> str:
        """What a poll finds: "used", "expired", "slow_down", "denied", "pending" or "approved".
        `hurried`: whether polls below the interval are noticed at all.
        """
        now = self.now()
        # A network that was faster this time is allowed for.
        too_fast = hurried and now - device.polled_at < 0.9 * device.interval
        device.polled_at = now
        found = device.state
        if found != "used" and device.expires_at <= now:
            found = "expired"
        elif found != "used" and device.slow_downs < self.device_settings.slow_down_times:
            device.slow_downs += 1
            found = "slow_down"
        elif found != "used" and too_fast:
            found = "slow_down"
        self.save()
        return found

    def waiting(self, user_code: str) -> Device | None:
        """The device that shows this code, while its user can still answer."""
        wanted = letters(user_code)
        for device in self.devices.values():
            open_still = device.state == "pending" and device.expires_at > self.now()
            if open_still and letters(device.user_code) == wanted:
                return device
        return None

    def answer(self, given: dict[str, Any]) -> None:
        """Carry out an `approve` of the front. Raises ValueError."""
        device = self.waiting(str(given.get("user_code", "")))
        if device is None:
            raise ValueError("no device waits with this code")
        if given.get("deny"):
            device.state = "denied"
        else:
            name, password = str(given.get("username", "")), str(given.get("password", ""))
            user = self.check_password(name, password)
            if user is None:
                raise ValueError("wrong user name or password")
            device.state, device.email = "approved", user.email
        self.save()

    def collect(self, device: Device) -> Grant:
        """The grant of an approved device, whose code is used up by it."""
        device.state = "used"
        return self.begin(device.email, device.client_id, device.scope)

    # Grants and tokens

    def begin(self, email: str, client_id: str, scope: str) -> Grant:
        grant = Grant(secrets.token_hex(4), email, client_id, scope, self.now())
        self.sessions[grant.id] = grant
        self.save()
        return grant

    def issue(self, grant: Grant, kind: str, token: str, lifetime: float) -> str:
        grant.tokens[token] = Token(kind, self.now() + lifetime)
        self.save()
        return token

    def find(self, token: str | None) -> tuple[Grant, Token] | None:
        """The grant that this token ever belonged to, and what is known of it."""
        for grant in self.sessions.values():
            if token is not None and token in grant.tokens:
                return grant, grant.tokens[token]
        return None

    def accepted(self, token: str | None, kind: str) -> Grant | None:
        """The grant that this token opens now."""
        found = self.find(token)
        if found is None:
            return None
        grant, known = found
        holds = known.kind == kind and not known.ended and known.expires_at > self.now()
        return grant if holds else None

    def end_tokens(self, grant: Grant, *kinds: str) -> None:
        for known in grant.tokens.values():
            known.ended = known.ended or known.kind in kinds
        self.save()

    def end(self, session: Grant, by: str) -> None:
        """The grant with all its tokens; what ended it first counts."""
        if session.alive:
            session.alive, session.ended_by = False, by
        self.end_tokens(session, "access", "refresh")

    def user_of(self, grant: Grant) -> User:
        return self.users[grant.email]


def letters(code: str) -> str:
    """Letters and digits count, not their case nor what stands between them."""
    return "".join(letter for letter in code.upper() if letter.isalnum())


def number(seconds: float) -> float:
    """Without a fraction where there is none, as services write it."""
    return int(seconds) if seconds == int(seconds) else seconds
