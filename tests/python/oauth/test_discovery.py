"""The issuer's metadata: believed only where they are the issuer's, and lead to its own hosts."""

from __future__ import annotations

import json
from typing import Any

import pytest

import sessionkeeper
from tests.python.oauth.issuers import METADATA, METADATA_TOO, OIDC, Device
from tests.servers.fixture import StandIn
from tests.servers.oidc.device import get

EVIL = "evil.example"
OTHER_HOSTS = (EVIL, f"{OIDC.host}:444", f"{OIDC.host}.{EVIL}", f"user@{OIDC.host}")


@pytest.fixture
def lured(server: StandIn, blank: Device) -> Device:
    """Nobody is logged in; it would find the other hosts."""
    blank.options["resolve"] = server.resolve_also(EVIL, f"{OIDC.host}.{EVIL}")
    blank.keeper = blank.open()
    return blank


def metadata(server: StandIn, **changed: Any) -> str:
    true = get(server, METADATA)
    server.clear_journal()
    return json.dumps({name: v for name, v in {**true, **changed}.items() if v is not None})


def asked(server: StandIn) -> list[str]:
    return [one["path"] for one in server.journal()]


@pytest.mark.parametrize(
    "other",
    [
        "https://op.oidc-demo.example/",
        "https://OP.oidc-demo.example",
        "http://op.oidc-demo.example",
        "https://evil.example",
    ],
)
def test_metadata_of_another_issuer(server: StandIn, lured: Device, other: str) -> None:
    server.settings(discovery_issuer=other)
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="issuer") as caught:
        lured.keeper.start_device_login()
    assert caught.value.hint
    assert asked(server) == [METADATA, METADATA_TOO]


@pytest.mark.parametrize("host", OTHER_HOSTS)
@pytest.mark.parametrize(
    "endpoint",
    [
        "device_authorization_endpoint",
        "token_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
    ],
)
def test_an_endpoint_on_another_host(
    server: StandIn, lured: Device, endpoint: str, host: str
) -> None:
    body = metadata(server, **{endpoint: f"https://{host}/collect"})
    server.fault(METADATA, "json_200", body=body)
    with pytest.raises(sessionkeeper.HostNotAllowed, match=endpoint) as caught:
        lured.keeper.start_device_login()
    assert "hosts" in caught.value.hint
    assert asked(server) == [METADATA]
    assert server.connections() == []


def test_an_endpoint_in_the_clear(server: StandIn, lured: Device) -> None:
    body = metadata(server, token_endpoint=f"http://{OIDC.host}:{server.port}/token")
    server.fault(METADATA, "json_200", body=body)
    with pytest.raises(sessionkeeper.Error) as caught:
        lured.keeper.start_device_login()
    assert caught.value.code in ("host_not_allowed", "unexpected_answer")
    assert asked(server) == [METADATA]


def test_an_endpoint_that_moved_away_after_the_login(server: StandIn, device: Device) -> None:
    """The metadata are read again when the endpoint is gone; the tokens go nowhere else."""
    device.options["resolve"] = server.resolve_also(EVIL)
    device.keeper = device.open()
    server.settings(endpoint="revocation_endpoint", endpoint_host=EVIL)
    server.fault(OIDC.logout, "status:404")
    assert device.keeper.logout().remote in ("deferred", "unconfirmed")
    assert {one["host"] for one in server.journal()} == {OIDC.host}
    assert METADATA in asked(server)
    assert device.alive
    server.clear_faults()
    server.settings(endpoint_host="")
    assert device.keeper.drain().revoked == 1
    assert not device.alive


def test_what_was_learned_serves_when_it_cannot_be_learned_again(
    server: StandIn, device: Device
) -> None:
    server.fault(OIDC.logout, "status:404", times=1)
    for path in (METADATA, METADATA_TOO):
        server.fault(path, "status:503")
    assert device.keeper.logout().remote == "deferred"
    assert device.keeper.drain().revoked == 1
    assert not device.alive


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("html_200", {}),
        ("json_200", {"body": "[]"}),
        ("json_200", {"body": "null"}),
        ("status:500", {}),
        ("status:403", {}),
        ("evil_host", {"location": f"https://{EVIL}/collect", "status": 302}),
        ("gzip_bomb", {}),
        ("truncated", {}),
    ],
)
def test_metadata_that_cannot_be_used(
    server: StandIn, lured: Device, fault: str, parameters: dict[str, Any]
) -> None:
    for path in (METADATA, METADATA_TOO):
        server.fault(path, fault, **parameters)
    with pytest.raises((sessionkeeper.UnexpectedAnswer, sessionkeeper.NetworkError)):
        lured.keeper.start_device_login()
    assert {one["host"] for one in server.journal()} == {OIDC.host}
    assert OIDC.code not in asked(server)
    server.clear_faults()
    assert lured.keeper.start_device_login().user_code


def test_metadata_at_the_other_place(server: StandIn, lured: Device) -> None:
    """An OAuth 2.0 server that is no OpenID provider has them where RFC 8414 says."""
    server.fault(METADATA_TOO, "json_200", body=metadata(server))
    server.fault(METADATA, "status:404")
    assert lured.keeper.start_device_login().user_code
    assert asked(server) == [METADATA, METADATA_TOO, OIDC.code]


@pytest.mark.parametrize("lacking", ["token_endpoint", "device_authorization_endpoint"])
def test_metadata_without_what_a_login_needs(server: StandIn, lured: Device, lacking: str) -> None:
    for path in (METADATA, METADATA_TOO):
        server.fault(path, "json_200", body=metadata(server, **{lacking: None}))
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match=lacking):
        lured.keeper.start_device_login()
    assert asked(server) == [METADATA, METADATA_TOO]


def test_an_issuer_that_revokes_nothing(server: StandIn, blank: Device) -> None:
    """There is nothing to prove the logout by, and nobody says it was proved."""
    lacking = metadata(server, revocation_endpoint=None, end_session_endpoint=None)
    for path in (METADATA, METADATA_TOO):
        server.fault(path, "json_200", body=lacking)
    blank.log_in()
    report = blank.keeper.logout()
    assert (report.local, report.remote) == ("cleared", "unconfirmed")
    assert report.expires_at is not None
    (entry,) = blank.keeper.outbox()
    assert (entry.last_outcome, entry.expires_at) == ("unconfirmed", report.expires_at)
    assert blank.alive


def test_the_endpoints_are_learned_once(server: StandIn, device: Device) -> None:
    device.keeper.renew()
    device.keeper.logout()
    assert METADATA not in asked(server)
