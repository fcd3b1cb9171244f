"""PINs, and tokens on devices: what plex.tv keeps."""

from __future__ import annotations

import hashlib
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.servers.front import store
from tests.servers.front.store import User

from .settings import Settings

# Without what looks alike.
_TYPED = "123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_STRONG = string.ascii_lowercase + string.digits
_TOKEN = string.ascii_letters + string.digits + "-_"


@dataclass
class Client:
    """What the X-Plex-* headers say of a program and the machine it runs on."""

    identifier: str
    product: str = ""
    name: str = ""
    platform: str = ""
    device: str = ""
    version: str = ""
    provides: str = ""


@dataclass
class Pin:
    id: int
    code: str
    identifier: str
    product: str
    client: dict[str, str]
    made_at: float
    expires_at: float
    token: str = ""

    @property
    def strong(self) -> bool:
        return len(self.code) > 4


@dataclass
class Session:
    """A token. Those of one client of an account share a device."""

    id: str
    email: str
    token: str
    device_id: int
    client: dict[str, str]
    made_at: float
    alive: bool = True
    ended_by: str = ""
    # Whether it keeps its device in the list.
    listed: bool = True

    @property
    def identifier(self) -> str:
        return self.client["identifier"]

    @property
    def product(self) -> str:
        return self.client["product"]

    @property
    def provides(self) -> str:
        return self.client["provides"]


class Store(store.Store[User, Session]):
    settings: Settings

    def __init__(self, file: Path, settings: Settings) -> None:
        self.pins: dict[int, Pin] = {}
        super().__init__(file, settings, Session, User)

    def load(self, state: dict[str, Any]) -> None:
        super().load(state)
        self.pins = {one["id"]: Pin(**one) for one in state["pins"]}

    def save(self, **more: Any) -> None:
        pins = [asdict(one) for one in self.pins.values()]
        super().save(pins=pins, **more)

    # PINs

    def make_pin(self, client: Client, *, strong: bool) -> Pin:
        lifetime = self.settings.strong_pin_lifetime if strong else self.settings.pin_lifetime
        code = _random(_STRONG, 25) if strong else _random(_TYPED, 4)
        made = Pin(
            secrets.randbelow(9 * 10**8) + 10**9,
            code,
            client.identifier,
            client.product,
            asdict(client),
            self.now(),
            self.now() + lifetime,
        )
        self.pins[made.id] = made
        self.save()
        return made

    def pin(self, id: Any, identifier: str) -> Pin | None:
        """Only for the client that asked for it."""
        found = self.pins.get(id)
        if found is None or found.identifier != identifier or found.expires_at <= self.now():
            return None
        return found

    def open_pin(self, code: str) -> Pin | None:
        """One that waits to be linked."""
        for pin in self.pins.values():
            wanted = code if pin.strong else code.upper()
            if pin.code == wanted and not pin.token and pin.expires_at > self.now():
                return pin
        return None

    def link(self, pin: Pin, user: User) -> None:
        pin.token = self.begin(user, Client(**pin.client)).token
        self.save()

    # Tokens and devices

    def begin(self, user: User, client: Client) -> Session:
        known = [one for one in self.listed(user.email) if one.identifier == client.identifier]
        number = known[0].device_id if known else secrets.randbelow(10**9) + 10**9
        token = _random(_TOKEN, 20)
        session = Session(
            secrets.token_hex(8), user.email, token, number, asdict(client), self.now()
        )
        self.sessions[session.id] = session
        self.save()
        return session

    def end(self, session: Session, by: str) -> None:
        """Of the token alone."""
        kept = by == "logout" and self.settings.signout_keeps_device
        session.alive, session.listed = False, kept
        session.ended_by = session.ended_by or by
        self.save()

    def remove_device(self, sessions: list[Session]) -> None:
        for one in sessions:
            self.end(one, "its device was removed")

    def listed(self, email: str) -> list[Session]:
        """Newest last."""
        return [one for one in self.sessions.values() if one.email == email and one.listed]

    def of_token(self, token: Any) -> Session | None:
        return next((one for one in self.sessions.values() if one.token == token), None)

    def accepted(self, token: Any) -> Session | None:
        session = self.of_token(token)
        return session if session is not None and session.alive else None

    def add_media_server(self, user: User) -> None:
        """The account's, if it never had one."""
        identifier = hashlib.sha1(user.email.encode()).hexdigest()
        mine = (one for one in self.sessions.values() if one.email == user.email)
        if not any(one.identifier == identifier for one in mine):
            client = Client(
                identifier, "Plex Media Server", "Home", "Linux", "PC", "1.42", "server"
            )
            self.begin(user, client)

    def forget_sessions(self) -> None:
        self.pins = {}
        super().forget_sessions()


def _random(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
