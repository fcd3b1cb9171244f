"""The issuers behind the providers `oidc` (two of them) and `workos-device`, and devices that are
logged in.

A login with a code takes at least the second that lies between two questions to the server. Those
that a test does not look at are made several at once; the server knows the others beside them.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import sessionkeeper
from tests.servers.fixture import StandIn

ROOT = Path(sessionkeeper.__file__).parents[2]
# A machine is not asked for more at once.
AT_ONCE = 24


@dataclass(frozen=True)
class Issuer:
    """The paths are those of `host`; `logout` is what a logout asks first."""

    id: str
    stand_in: str
    host: str
    code: str
    token: str
    logout: str
    me: str

    def __str__(self) -> str:
        return self.id


OIDC = Issuer(
    "oidc",
    "oidc",
    "op.oidc-demo.example",
    "/device/auth",
    "/token",
    "/token/revocation",
    "https://op.oidc-demo.example/me",
)
# Its own API takes no token of a user; the application's does.
WORKOS = Issuer(
    "workos-device",
    "workos",
    "api.workos.com",
    "/user_management/authorize/device",
    "/user_management/authenticate",
    "/user_management/sessions/logout",
    "https://app.workos-demo.example/api/me/",
)
BOTH = (OIDC, WORKOS)
# Its access tokens are opaque, and it gives no ID token at the login.
DJANGO = Issuer(
    "django-oauth",
    "django-oauth",
    "login.django-demo.example",
    "/o/device-authorization/",
    "/o/token/",
    "/o/revoke_token/",
    "https://login.django-demo.example/o/userinfo/",
)
METADATA = "/.well-known/openid-configuration"
METADATA_TOO = "/.well-known/oauth-authorization-server"
# No test waits longer than it must, and no token ends by itself.
USUAL = {"device_interval": 1, "access_lifetime": 3600}


def definition(issuer: Issuer, directory: Path) -> str:
    """The provider, or the file that an add-on would make of it: with the host of its application
    at WorkOS, with the endpoint that no metadata name at Django."""
    if issuer is OIDC:
        return issuer.id
    if issuer is DJANGO:
        return _with_device_endpoint(directory)
    text = (ROOT / "resources/providers/workos-device.toml").read_text(encoding="utf-8")
    for name in ("hosts", "bearer_hosts"):
        own = f'\n{name} = ["api.workos.com"]'
        assert own in text
        text = text.replace(own, f'{own[:-1]}, "app.workos-demo.example"]')
    file = directory / "workos-device.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def _with_device_endpoint(directory: Path) -> str:
    text = (ROOT / "resources/providers/oidc.toml").read_text(encoding="utf-8")
    own = '\nissuer = "{issuer}"\n'
    assert own in text
    endpoint = 'device_authorization_endpoint = "{issuer}/device-authorization/"\n'
    file = directory / "oidc.toml"
    file.write_text(text.replace(own, own + endpoint), encoding="utf-8")
    return str(file)


class Device:
    """A data directory, and where its requests go."""

    def __init__(self, server: StandIn, issuer: Issuer, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.server = server
        self.issuer = issuer
        self.home = home
        self.options: dict[str, Any] = {
            "provider": definition(issuer, home),
            "parameters": parameters(server, issuer),
            "data_dir": str(home / "data"),
            "key_dir": str(home / "keys"),
            "ca_file": server.ca_file,
            "resolve": server.resolve,
            "proxy": "none",
            "log_level": "debug",
            "background": False,
        }
        self.keeper = self.open()
        #: The server's name of the session.
        self.id = ""

    def open(self, **changed: Any) -> sessionkeeper.Keeper:
        return sessionkeeper.open(**{**self.options, **changed})

    def log_in(self, who: tuple[str, str] = StandIn.VIEWER) -> sessionkeeper.Session:
        login = self.keeper.start_device_login()
        self.server.approve(login.user_code, *who)
        session = login.wait()
        self.id = self.server._ask("POST", "/check", {"jwt": self.token})["session"]
        return session

    @property
    def session(self) -> sessionkeeper.Session:
        session = self.keeper.session
        assert session is not None
        return session

    @property
    def token(self) -> str:
        """The access token."""
        return self.session.headers["Authorization"].partition(" ")[2]

    def me(self) -> str:
        """The e-mail address of whose name a request is in."""
        answer = self.session.get(self.issuer.me)
        answer.raise_for_status()
        email: str = answer.json()["email"]
        return email

    @property
    def at_server(self) -> dict[str, Any]:
        """What the server says of the session."""
        return next(one for one in self.server.sessions() if one["id"] == self.id)

    @property
    def alive(self) -> bool:
        return bool(self.at_server["alive"])

    def refresh_tokens(self) -> list[str]:
        """All that the server ever gave to this session, oldest first."""
        return refresh_tokens(self.server, self.id)

    def requests(self, path: str | None = None) -> list[dict[str, Any]]:
        return [one for one in self.server.journal(path) if one["session"] == self.id]

    def renewals(self) -> list[dict[str, Any]]:
        """The requests that asked for one."""
        asked = self.requests(self.issuer.token)
        return [one for one in asked if one["grant_type"] == "refresh_token"]


def parameters(server: StandIn, issuer: Issuer) -> dict[str, str]:
    names = ("client_id",) if issuer is WORKOS else ("issuer", "client_id")
    return {name: server.parameters[name] for name in names}


def log_in_all(devices: list[Device]) -> None:
    with ThreadPoolExecutor(len(devices)) as threads:
        list(threads.map(Device.log_in, devices))


class Pool:
    """Devices that are logged in, made as they are needed."""

    def __init__(self, server: StandIn, issuer: Issuer, home: Callable[[], Path]) -> None:
        self._server = server
        self._issuer = issuer
        self._home = home
        self._ready: list[Device] = []

    def blank(self) -> Device:
        """One where nobody ever was logged in."""
        return Device(self._server, self._issuer, self._home())

    def take(self, count: int) -> list[Device]:
        while len(self._ready) < count:
            devices = [self.blank() for _ in range(AT_ONCE)]
            log_in_all(devices)
            self._ready += devices
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken


def refresh_tokens(server: StandIn, session: str) -> list[str]:
    """Of one session, as the stand-in keeps them; the API gives them to nobody."""
    if server.name == "workos":
        state = json.loads((server.directory / "workos.json").read_text(encoding="utf-8"))
        return [
            token for s in state["sessions"] if s["id"] == session for token in s["refresh_tokens"]
        ]
    found: dict[str, None] = {}
    for line in kept(server):
        if line["kind"] == "RefreshToken" and line.get("value", {}).get("grantId") == session:
            found[line["id"]] = None
    return list(found)


def kept(server: StandIn) -> list[dict[str, Any]]:
    """The lines of the file of the stand-in `oidc`."""
    text = (server.directory / "state.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def wait_for(happened: Callable[[], bool]) -> None:
    for _ in range(100):
        if happened():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within 5 s")


def audited(keeper: sessionkeeper.Keeper, event: str) -> list[str]:
    return [line.outcome for line in keeper.audit() if line.event == event]


def told(keeper: sessionkeeper.Keeper, event: str) -> list[str]:
    return [one.outcome for one in keeper.events(0) if one.event == event]
