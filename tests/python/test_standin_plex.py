"""plex.tv by itself, asked by a client without a line of ours."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Callable

import pytest

from tests.servers.exchange import Reply, exchange
from tests.servers.fixture import StandIn
from tests.servers.plex.client import BY, PLEX, ask, log_in, make_pin, status

CLIENTS = "https://clients.plex.tv"


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("plex").reset()


def error(reply: Reply) -> tuple[int, int]:
    (one,) = reply.json["errors"]
    assert one["status"] == reply.status
    return reply.status, one["code"]


# PINs


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("base", [PLEX, CLIENTS])
def test_from_the_pin_to_the_token(server: StandIn, who: tuple[str, str], base: str) -> None:
    pin = ask(server, "POST", "/api/v2/pins", base=base).json
    assert re.fullmatch("[1-9A-Z]{4}", pin["code"])
    assert (pin["expiresIn"], pin["authToken"], pin["trusted"]) == (900, None, False)
    assert (pin["clientIdentifier"], pin["product"]) == ("client-1", "Check")
    assert pin["qr"] == f"https://plex.tv/api/v2/pins/qr/{pin['code']}"
    path = f"/api/v2/pins/{pin['id']}"
    waiting = ask(server, "GET", path, base=base)
    assert (waiting.status, waiting.json["authToken"]) == (200, None)
    with pytest.raises(ValueError, match="wrong e-mail address or password"):
        server.approve(pin["code"], who[0], "wrong")
    with pytest.raises(ValueError, match="no such code"):
        server.approve("0000")
    server.approve(pin["code"].lower(), *who)
    linked = ask(server, "GET", path, base=base).json
    token = linked["authToken"]
    assert re.fullmatch(r"[\w-]{20}", token)
    assert ask(server, "GET", path, base=base).json["authToken"] == token
    user = ask(server, "GET", "/api/v2/user", token, base)
    assert (user.status, user.json["email"], user.json["authToken"]) == (200, who[0], token)
    assert isinstance(user.json["id"], int)
    (session,) = server.sessions()
    assert (session["email"], session["alive"]) == (who[0], True)
    assert server.check(jwt=token)
    assert server.journal("/api/v2/user")[0]["session"] == session["id"]
    with pytest.raises(ValueError, match="no such code"):
        server.approve(pin["code"], *who)


def test_a_strong_pin(server: StandIn) -> None:
    for query in ("?strong=true", "?strong=True", "?strong=1"):
        pin = make_pin(server, query)
        assert re.fullmatch("[a-z0-9]{25}", pin["code"])
        assert pin["expiresIn"] == 1800
        assert "qr" not in pin
    server.approve(pin["code"])
    assert ask(server, "GET", f"/api/v2/pins/{pin['id']}").json["authToken"]
    assert len(make_pin(server, "?strong=false")["code"]) == 4


def test_a_pin_is_its_clients_alone_and_for_a_time(server: StandIn) -> None:
    pin = make_pin(server)
    path = f"/api/v2/pins/{pin['id']}"
    other = ask(server, "GET", path, X_Plex_Client_Identifier="client-2")
    assert error(other) == error(ask(server, "GET", "/api/v2/pins/1")) == (404, 1020)
    assert other.json["errors"][0]["message"] == "Code not found or expired"
    server.approve(pin["code"], deny=True)
    server.settings(clock_offset=895)
    waiting = ask(server, "GET", path)
    assert waiting.status == 200
    assert waiting.json["expiresIn"] <= 5
    server.settings(clock_offset=901)
    assert error(ask(server, "GET", path)) == (404, 1020)
    with pytest.raises(ValueError, match="no such code"):
        server.approve(pin["code"])


def test_a_viewer_types_the_code_himself(server: StandIn) -> None:
    token = log_in(server, identifier="browser")
    pin = make_pin(server)
    url = f"{PLEX}/api/v2/pins/link"
    signed_in = {**BY, "X-Plex-Token": token}
    code = {"code": pin["code"]}
    assert error(exchange(server, "PUT", url, BY, form=code)) == (401, 1001)
    assert error(exchange(server, "PUT", url, signed_in, json_body=code)) == (400, 1004)
    assert error(exchange(server, "PUT", url, signed_in)) == (400, 1004)
    assert error(exchange(server, "PUT", url, signed_in, form={"code": "0000"})) == (404, 1020)
    linked = exchange(server, "PUT", url, signed_in, form=code)
    assert (linked.status, linked.text) == (204, "")
    assert ask(server, "GET", f"/api/v2/pins/{pin['id']}").json["authToken"]


# Headers


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v2/pins"),
        ("GET", "/api/v2/pins/1"),
        ("GET", "/api/v2/user"),
        ("DELETE", "/api/v2/users/signout"),
        ("GET", "/api/v2/ping"),
        ("GET", "/devices.xml"),
    ],
)
def test_who_asks_must_be_said(server: StandIn, method: str, path: str) -> None:
    token = log_in(server)
    reply = ask(server, method, path, token, X_Plex_Client_Identifier="")
    assert error(reply) == (400, 1000)
    assert reply.json["errors"][0]["message"] == "X-Plex-Client-Identifier is missing"
    assert server.check(jwt=token)


def test_headers_may_be_in_the_query_or_a_form(server: StandIn) -> None:
    bare = {"Accept": "application/json"}
    given = {"strong": "true", "X-Plex-Client-Identifier": "client-1", "X-Plex-Product": "Check"}
    pin = exchange(server, "POST", f"{PLEX}/api/v2/pins", bare, form=given).json
    assert (len(pin["code"]), pin["product"]) == (25, "Check")
    token = log_in(server)
    query = f"?X-Plex-Client-Identifier=client-1&X-Plex-Token={token}"
    assert exchange(server, "GET", f"{PLEX}/api/v2/user{query}", bare).status == 200
    assert error(exchange(server, "POST", f"{PLEX}/api/v2/pins", BY, {"jwk": {}})) == (400, 1004)


def test_without_accept_it_is_xml(server: StandIn) -> None:
    reply = ask(server, "POST", "/api/v2/pins", Accept="")
    assert (reply.status, reply.kind) == (201, "application/xml")
    pin = ET.fromstring(reply.text)
    assert (pin.tag, pin.get("authToken"), pin.get("trusted")) == ("pin", "", "0")
    refused = ask(server, "GET", "/api/v2/user", "never", Accept="*/*")
    assert refused.status == 401
    (one,) = ET.fromstring(refused.text)
    assert (one.get("code"), one.get("status")) == ("1001", "401")
    named = ask(server, "GET", f"/api/v2/pins/{pin.get('id')}.json", Accept="")
    assert named.json["code"] == pin.get("code")


def test_what_is_not_there(server: StandIn) -> None:
    assert error(ask(server, "GET", "/api/v2/nothing")) == (404, 1002)
    assert error(ask(server, "GET", "/api/v2/pins")) == (405, 1005)
    assert error(ask(server, "GET", "/api/v2/users/signout")) == (405, 1005)
    assert error(ask(server, "GET", "/devices.xml", base=CLIENTS)) == (404, 1002)


# The account


def test_by_name_and_password(server: StandIn) -> None:
    url = f"{PLEX}/api/v2/users/signin"
    wrong = {"login": server.VIEWER[0], "password": "wrong"}
    assert error(exchange(server, "POST", url, BY, form=wrong)) == (401, 1001)
    assert error(exchange(server, "POST", url, BY, form={"login": "x"})) == (400, 1004)
    right = dict(zip(("login", "password"), server.NON_ASCII))
    reply = exchange(server, "POST", url, BY, form=right)
    assert (reply.status, reply.json["email"]) == (201, server.NON_ASCII[0])
    assert status(server, reply.json["authToken"]) == 200


def test_signing_out(server: StandIn) -> None:
    token, other = log_in(server), log_in(server, identifier="client-2")
    assert ask(server, "GET", "/api/v2/ping", token).json == {"pong": True}
    reply = ask(server, "DELETE", "/api/v2/users/signout", token)
    assert (reply.status, reply.text) == (204, "")
    assert not server.check(jwt=token)
    for dead in (token, "never-issued-at-all-", ""):
        assert error(ask(server, "DELETE", "/api/v2/users/signout", dead)) == (401, 1001)
        assert error(ask(server, "GET", "/api/v2/user", dead)) == (401, 1001)
        assert ask(server, "GET", "/api/v2/ping", dead).status == 401
    assert status(server, other) == 200


@pytest.mark.parametrize(("fault", "ends"), [("with_status", False), ("ended_but_reset", True)])
def test_a_fault_decides_whether_the_session_ends(server: StandIn, fault: str, ends: bool) -> None:
    token = log_in(server)
    server.fault("/api/v2/users/signout", fault, times=1, code=503)
    if ends:
        with pytest.raises(ConnectionError):
            ask(server, "DELETE", "/api/v2/users/signout", token)
    else:
        assert ask(server, "DELETE", "/api/v2/users/signout", token).status == 503
    assert server.check(jwt=token) is not ends


def test_a_second_link_of_a_client_leaves_its_first_token(server: StandIn) -> None:
    first, second = log_in(server), log_in(server)
    assert first != second
    assert len({one["device_id"] for one in server.sessions()}) == 1
    assert ask(server, "DELETE", "/api/v2/users/signout", second).status == 204
    assert status(server, first) == 200


# Devices


def devices(server: StandIn, token: str) -> list[dict[str, str]]:
    reply = ask(server, "GET", "/devices.xml", token)
    assert (reply.status, reply.kind) == (200, "application/xml"), "also for those who want JSON"
    return [dict(one.attrib) for one in ET.fromstring(reply.text)]


def test_the_list_of_devices_holds_their_tokens(server: StandIn) -> None:
    token, other = log_in(server), log_in(server, identifier="client-2")
    log_in(server, StandIn.NON_ASCII, "client-3")
    found = devices(server, token)
    assert [one["clientIdentifier"] for one in found] == ["client-1", "client-2"]
    assert [one["token"] for one in found] == [token, other]
    assert found[0]["name"] == "Living room"
    ask(server, "DELETE", "/api/v2/users/signout", other)
    assert [one["clientIdentifier"] for one in devices(server, token)] == ["client-1"]
    refused = ask(server, "GET", "/devices.xml", other)
    assert (refused.status, "Invalid authentication token." in refused.text) == (401, True)


def test_a_device_that_is_removed(server: StandIn) -> None:
    first, other = log_in(server), log_in(server, identifier="client-2")
    second, stranger = log_in(server), log_in(server, StandIn.NON_ASCII, "client-3")
    mine = devices(server, other)[0]["id"]
    theirs = devices(server, stranger)[0]["id"]
    assert ask(server, "DELETE", f"/devices/{mine}.xml").status == 401
    assert ask(server, "DELETE", f"/devices/{theirs}.xml", other).status == 404
    server.fault(f"/devices/{mine}.xml", "with_status", times=1, code=502)
    assert ask(server, "DELETE", f"/devices/{mine}.xml", other).status == 502
    assert status(server, first) == 200
    assert ask(server, "DELETE", f"/devices/{mine}.xml", other).status == 200
    statuses = [status(server, one) for one in (first, second, other, stranger)]
    assert statuses == [401, 401, 200, 200], "all tokens of the device"
    assert ask(server, "DELETE", f"/devices/{mine}.xml", other).status == 404
    log_in(server)
    assert devices(server, other)[-1]["id"] != mine


def test_a_media_server_is_a_device_too(server: StandIn) -> None:
    token = log_in(server)
    assert len(devices(server, token)) == 1
    server.settings(media_server=True)
    (home,) = (one for one in devices(server, token) if one["provides"] == "server")
    assert home["product"] == "Plex Media Server"
    assert len(devices(server, token)) == 2, "once"
    assert ask(server, "DELETE", f"/devices/{home['id']}.xml", token).status == 200
    assert [one["provides"] for one in server.sessions() if not one["alive"]] == ["server"]
    assert len(devices(server, token)) == 1, "for good"


def test_a_device_that_stays_listed(server: StandIn) -> None:
    server.settings(signout_keeps_device=True)
    token, other = log_in(server), log_in(server, identifier="client-2")
    ask(server, "DELETE", "/api/v2/users/signout", other)
    assert len(devices(server, token)) == 2
    kept = devices(server, token)[1]["id"]
    assert ask(server, "DELETE", f"/devices/{kept}.xml", token).status == 200
    assert len(devices(server, token)) == 1
    mine = log_in(server, identifier="client-3")
    number = devices(server, token)[-1]["id"]
    ask(server, "DELETE", f"/devices/{number}.xml", token)
    assert status(server, mine) == 401
    assert len(devices(server, token)) == 1, "removed for good"


# What lasts


def test_everything_outlives_a_restart_and_a_kill(server: StandIn) -> None:
    gone, token = log_in(server, identifier="gone"), log_in(server)
    ask(server, "DELETE", "/api/v2/users/signout", gone)
    pin = make_pin(server)
    server.restart()
    assert (status(server, gone), status(server, token)) == (401, 200)
    server.approve(pin["code"])
    server.kill()
    server.start()
    assert ask(server, "GET", f"/api/v2/pins/{pin['id']}").json["authToken"]
    assert (status(server, gone), status(server, token)) == (401, 200)
    server.end_session(server.sessions()[1]["id"])
    assert status(server, token) == 401
    token = log_in(server)
    server.settings(clock_offset=10 * 365 * 86400)
    assert status(server, token) == 200, "it does not expire"
    assert server.reset().sessions() == []
    assert error(ask(server, "GET", f"/api/v2/pins/{pin['id']}")) == (404, 1020)
