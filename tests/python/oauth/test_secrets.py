"""Nothing secret gets out of a login with a code: canaries at the most talkative log level.

Codes and tokens are those that the stand-ins know of; they are looked for in all that is logged,
stored, raised or shown.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sessionkeeper
from tests.canaries import Search, parts, written_files
from tests.python.oauth.conftest import Stage
from tests.python.oauth.issuers import BOTH, METADATA, METADATA_TOO, OIDC, Device, Issuer, kept
from tests.python.planting import ECHOED, Shown
from tests.servers.fixture import StandIn

pytestmark = pytest.mark.parametrize("issuer", BOTH, ids=str)

ERROR = json.dumps({"error": "invalid_scope", "error_description": ECHOED, "error_uri": ECHOED})
TROUBLE = (
    ("status:400", {"body": ERROR}),
    ("status:400", {"body": json.dumps({"error": ECHOED})}),
    ("status:302", {"location": f"https://evil.example/{ECHOED}?token={ECHOED}"}),
    ("html_200", {"body": f"<p class={ECHOED}>{ECHOED}</p>"}),
    ("json_200", {"body": json.dumps({"access_token": f"{ECHOED}\r\n", ECHOED: ECHOED})}),
    ("malformed_status_line", {"line": f"HTTP/1.1 {ECHOED}"}),
    ("tls_unknown_ca", {}),
)


class Plant(Shown):
    """One device, the secrets that came into being with it, and all that it showed."""

    def __init__(self, device: Device) -> None:
        super().__init__(device.keeper)
        self.device = device
        self.secrets: dict[str, str | bytes] = {"what the server echoed": ECHOED}

    def code(self) -> sessionkeeper.DeviceLogin:
        login = self.device.keeper.start_device_login()
        self.secrets[f"user code {len(self.secrets)}"] = login.user_code
        self.show("a code", login)
        return login

    def leaks(self) -> list[str]:
        self.show_the_rest()
        self.secrets.update(issued(self.device.server))
        home = self.device.home
        keys = [file for file in written_files(home) if file.suffix == ".key"]
        assert keys
        for file in keys:
            self.secrets[f"the key {file.name}"] = file.read_bytes()
        search = Search(self.secrets)
        found = search.files(home, without=keys)
        for place, content in self.shown.items():
            found += search.content(place, content)
        return found


def issued(server: StandIn) -> dict[str, str | bytes]:
    """The codes and tokens that the stand-in keeps; of ID tokens the signatures."""
    found: dict[str, str | bytes] = {}
    if server.name == "workos":
        state = json.loads((server.directory / "workos.json").read_text(encoding="utf-8"))
        for device in state["devices"]:
            found[f"device code {len(found)}"] = device["device_code"]
        for session in state["sessions"]:
            for token, known in session["refresh_tokens"].items():
                found[f"refresh token {len(found)}"] = token
                for part in parts(known["answer"][0]) if known["answer"] else ():
                    found[f"part of an access token {len(found)}"] = part
        return found
    for line in kept(server):
        if line["kind"] in ("AccessToken", "RefreshToken", "DeviceCode", "Trace"):
            found[f"{line['kind']} {len(found)}"] = line["id"]
    return found


@pytest.fixture
def plant(stage: Stage, issuer: Issuer, blank: Device) -> Plant:
    # What other tests left behind is not looked for.
    stage.forget(issuer)
    return Plant(blank)


def test_a_login_shows_no_secret(server: StandIn, issuer: Issuer, plant: Plant) -> None:
    keeper = plant.device.keeper
    for fault, parameters in TROUBLE:
        server.fault(issuer.code, fault, times=1, **parameters)
        plant.fails(f"a code met by {fault}", keeper.start_device_login)
    if issuer is OIDC:
        for path in (METADATA, METADATA_TOO):
            server.fault(path, "json_200", times=1, body=json.dumps({"issuer": ECHOED}))
        plant.fails("another issuer", keeper.start_device_login)
    plant.fails("a cancelled login", lambda: plant.code().wait(lambda: True))
    denied = plant.code()
    server.approve(denied.user_code, deny=True)
    plant.fails("a denied login", denied.wait)
    login = plant.code()
    server.approve(login.user_code)
    session = login.wait()
    plant.show("the session", session, session.status, login, plant.device.session)
    plant.secrets["the access token"] = plant.device.token
    for part in parts(plant.device.token):
        plant.secrets["a part of the access token"] = part
    plant.show("a request", session.get(issuer.me))
    log = (Path(plant.device.options["data_dir"]) / "sessionkeeper.log").read_text("utf-8")
    assert "logged in" in log
    found = plant.leaks()
    assert len(plant.secrets) >= 8
    assert found == []


def test_renewals_and_logouts_show_no_secret(server: StandIn, issuer: Issuer, plant: Plant) -> None:
    device, keeper = plant.device, plant.device.keeper
    device.log_in()
    for fault, parameters in TROUBLE:
        server.fault(issuer.token, fault, times=1, **parameters)
        plant.fails(f"a renewal met by {fault}", keeper.renew)
    plant.show("the session", device.session)
    for fault, parameters in TROUBLE:
        server.fault(issuer.logout, fault, times=1, **parameters)
    plant.show("a logout", keeper.logout(deadline=3), keeper.outbox(), keeper.drain())
    server.clear_faults()
    plant.show("a drain", keeper.drain(), keeper.outbox())
    device.log_in()
    renewed = keeper.renew()
    plant.show("a renewed session", renewed)
    server.end_session(device.id)
    plant.fails("a session that was ended", keeper.renew)
    assert plant.leaks() == []
