"""Tokens and codes never leave the provider's hosts, wherever an answer or the metadata point.

The other hosts lead to the stand-in as well, which would journal what came for them, be it only a
connection.
"""

from __future__ import annotations

from typing import Iterator

import pytest

import sessionkeeper
from tests.python.oauth.issuers import BOTH, OIDC, Device, Issuer
from tests.servers.fixture import StandIn

# {port} and {lookalike} are filled in here, the others by the front.
LOCATIONS = {
    "evil_host": "https://evil.example/collect",
    "evil_port": "https://{host}:{port}{path}",
    "evil_http": "http://{host}:{port}{path}",
    "evil_subdomain": "https://{host}.evil.example{path}",
    "evil_userinfo": "https://{host}@evil.example{path}",
    "evil_idn": "https://{lookalike}/",
}
REFUSED = (sessionkeeper.HostNotAllowed, sessionkeeper.UnexpectedAnswer)


@pytest.fixture(scope="module", params=BOTH, ids=str)
def issuer(request: pytest.FixtureRequest) -> Issuer:
    found: Issuer = request.param
    return found


@pytest.fixture
def lured(server: StandIn, device: Device) -> Iterator[Device]:
    """Logged in; it would find the other hosts, and nothing may have come to them."""
    hosts = [f"{device.issuer.host}.evil.example", lookalike(device.issuer.host)]
    device.options["resolve"] = server.resolve_also("evil.example", *hosts)
    device.keeper = device.open()
    yield device
    assert_nothing_left(server)


def lookalike(host: str) -> str:
    """With one letter of another alphabet."""
    front, name, top = host.rsplit(".", 2)
    strange = name.replace("o", "\u043e", 1).encode("idna").decode("ascii")
    return f"{front}.{strange}.{top}"


def assert_nothing_left(server: StandIn) -> None:
    own = [item.partition(":")[0] for item in server.resolve]
    strangers = [
        (one["scheme"], one["host"], one["path"])
        for one in server.journal()
        if one["scheme"] != "https" or one["host"] not in own
    ]
    assert strangers == []
    assert server.connections() == []


def lure(device: Device, path: str, fault: str, status: int, times: int | None = None) -> None:
    location = LOCATIONS[fault].replace("{port}", str(device.server.port))
    location = location.replace("{lookalike}", lookalike(device.issuer.host))
    device.server.fault(path, fault, times=times, status=status, location=location)


def test_whoever_went_there_would_be_seen(server: StandIn, lured: Device) -> None:
    strange = {
        "id": "stranger",
        "name": "Stranger",
        "website": "https://evil.example",
        "hosts": ["evil.example"],
        "session": {"account_id": ["sub"]},
        "oauth": {
            "client_id": "x",
            "device_authorization_endpoint": "https://evil.example/collect",
            "token_endpoint": "https://evil.example/collect",
            "revocation_endpoint": "https://evil.example/collect",
        },
        "login": {"flow": "device_code"},
        "logout": {"steps": [{"flow": "revoke"}]},
    }
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="421"):
        lured.open(provider=strange, parameters=None).start_device_login()
    with pytest.raises(AssertionError):
        assert_nothing_left(server)
    server.clear_journal()


@pytest.mark.parametrize("issuer", [OIDC], ids=str)
def test_the_login(server: StandIn, issuer: Issuer, lured: Device) -> None:
    """RFC 9700 section 4.12: what was posted is not posted elsewhere, be it a 307."""
    lure(lured, issuer.token, "evil_host", 307, times=1)
    login = lured.keeper.start_device_login()
    server.approve(login.user_code)
    with pytest.raises(REFUSED):
        login.wait()
    assert len(server.journal(issuer.token)) == 1
    assert lured.me() == StandIn.VIEWER[0], "the session from before is as it was"


@pytest.mark.parametrize("fault", LOCATIONS)
def test_while_signed_in(server: StandIn, issuer: Issuer, lured: Device, fault: str) -> None:
    """A code, a request of an add-on, a renewal; each is answered by a redirect."""
    keeper, session = lured.keeper, lured.session
    path = "/" + issuer.me.split("/", 3)[3]
    for status in (302, 307):
        lure(lured, issuer.code, fault, status, times=1)
        with pytest.raises(REFUSED):
            keeper.start_device_login()
        lure(lured, path, fault, status, times=2)
        for ask in (session.get, session.post):
            with pytest.raises(REFUSED):
                ask(issuer.me)
    # The server has exchanged the refresh token; what it gave for it is lost.
    lure(lured, issuer.token, fault, 307, times=1)
    with pytest.raises(REFUSED):
        keeper.renew()
    assert lured.me() == StandIn.VIEWER[0]
    assert lured.alive


@pytest.mark.parametrize("fault", LOCATIONS)
def test_the_logout(server: StandIn, issuer: Issuer, lured: Device, fault: str) -> None:
    for path in (issuer.logout, "/session/end"):
        lure(lured, path, fault, 307)
    report = lured.keeper.logout()
    # Where the renewal is the probe, it finds the session alive.
    expected = "alive" if issuer.id == "workos-device" else "unconfirmed"
    assert (report.local, report.remote) == ("cleared", expected)
    assert lured.keeper.drain().revoked == 0
    assert lured.alive
    server.clear_faults()
    assert lured.keeper.drain().revoked == 1
    assert not lured.alive
