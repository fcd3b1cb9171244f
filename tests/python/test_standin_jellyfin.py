"""The Jellyfin server by itself, asked by a client without a line of ours."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.servers.exchange import exchange
from tests.servers.fixture import StandIn
from tests.servers.jellyfin.client import BASE, BY, ask, header, log_in, status, try_login


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("jellyfin").reset()


# By name


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_a_login_and_who_that_is(server: StandIn, who: tuple[str, str]) -> None:
    reply = try_login(server, *who)
    assert (reply.status, reply.kind) == (200, "application/json")
    answer = reply.json
    token = answer["AccessToken"]
    assert len(token) == 32
    assert int(token, 16)
    assert answer["User"]["Name"] == who[0]
    assert answer["SessionInfo"]["DeviceId"] == "device-1"
    me = ask(server, "GET", "/Users/Me", token)
    assert (me.status, me.json["Id"]) == (200, answer["User"]["Id"])
    assert answer["ServerId"] == ask(server, "GET", "/System/Info/Public").json["Id"]
    assert server.check(jwt=token)
    (session,) = server.sessions()
    assert (session["email"], session["alive"]) == (who[0], True)
    assert server.journal("/Users/Me")[0]["session"] == session["id"]


def test_paths_names_and_schemes_are_read_without_regard_to_case(server: StandIn) -> None:
    url = f"{BASE}/users/authenticatebyname"
    body = {"username": StandIn.VIEWER[0].upper(), "PW": StandIn.VIEWER[1]}
    by = {"Authorization": header(scheme="mediabrowser")}
    assert exchange(server, "POST", url, by, body).status == 200
    lower = {"Authorization": header().replace("DeviceId", "deviceid")}
    assert exchange(server, "POST", url, lower, body).status == 400, "the keys are case-sensitive"


def test_values_of_the_header_are_percent_encoded(server: StandIn) -> None:
    token = log_in(server, Device='Sofa, "left" é')
    assert server.sessions()[0]["device"] == 'Sofa, "left" é'
    assert status(server, token) == 200
    assert server.sessions()[0]["device"] == 'Sofa, "left" é', "Token alone changes nothing"
    renamed = {"Authorization": header(token, Device="Kitchen")}
    assert exchange(server, "GET", f"{BASE}/Users/Me", renamed).status == 200
    assert server.sessions()[0]["device"] == "Kitchen"


@pytest.mark.parametrize(
    ("name", "password"), [(StandIn.VIEWER[0], "wrong"), (StandIn.VIEWER[0], ""), ("nobody", "x")]
)
def test_a_wrong_name_or_password(server: StandIn, name: str, password: str) -> None:
    reply = try_login(server, name, password)
    assert (reply.status, reply.kind) == (401, "text/plain")
    assert reply.text == "Error processing request."
    assert server.sessions() == []


@pytest.mark.parametrize("missing", list(BY))
def test_a_header_that_is_not_whole(server: StandIn, missing: str) -> None:
    reply = try_login(server, **{missing: ""})
    assert (reply.status, reply.text) == (400, "Error processing request.")
    assert server.sessions() == []


def test_bodies_that_are_none(server: StandIn) -> None:
    url, by = f"{BASE}/Users/AuthenticateByName", {"Authorization": header()}
    form = exchange(server, "POST", url, by, form={"Username": "x", "Pw": "y"})
    assert (form.status, form.kind) == (415, "application/problem+json")
    json_by = {**by, "Content-Type": "application/json"}
    for bad in (exchange(server, "POST", url, json_by), exchange(server, "POST", url, by, ["x"])):
        assert (bad.status, bad.kind) == (400, "application/problem+json")
        assert bad.json["status"] == 400
    assert exchange(server, "POST", url, by, {"Pw": "x"}).status == 400
    assert exchange(server, "POST", url, by, {"Username": "", "Pw": "x"}).text.startswith("Error")
    assert exchange(server, "GET", url, by).status == 401, "which is a user by that id"
    wrong = exchange(server, "DELETE", url, by)
    assert (wrong.status, wrong.text) == (405, "")
    assert ask(server, "GET", "/Nowhere").status == 404


def test_too_many_wrong_passwords_disable_the_account(server: StandIn) -> None:
    for _ in range(4):
        assert try_login(server, password="wrong").status == 401, "there is no limit at first"
    token = log_in(server)
    server.settings(login_attempts_before_lockout=3)
    for _ in range(3):
        assert try_login(server, password="wrong").status == 401
    reply = try_login(server)
    assert (reply.status, reply.text) == (403, "Error processing request.")
    assert status(server, token) == 401
    assert try_login(server, *StandIn.NON_ASCII).status == 200
    server.restart()
    assert try_login(server).status == 403, "until an administrator clears it"


def test_a_limit_of_sessions(server: StandIn) -> None:
    server.settings(max_active_sessions=1)
    log_in(server)
    assert try_login(server, DeviceId="device-2").status == 403
    assert try_login(server).status == 403, "counted before the old one ends"


def test_a_second_login_with_the_same_device(server: StandIn) -> None:
    first, other = log_in(server), log_in(server, StandIn.NON_ASCII)
    elsewhere = log_in(server, DeviceId="device-2")
    second = log_in(server)
    assert first != second
    statuses = [status(server, one) for one in (first, other, elsewhere, second)]
    assert statuses == [401, 200, 200, 200]
    assert server.sessions()[0]["ended_by"] == "a login with its device"


def test_a_second_login_with_the_same_device_before_10_9(server: StandIn) -> None:
    server.settings(one_session_per_device=True, version="10.8.13")
    first, elsewhere = log_in(server), log_in(server, DeviceId="device-2")
    assert log_in(server) == first, "given again"
    other = log_in(server, StandIn.NON_ASCII)
    assert [status(server, one) for one in (first, elsewhere, other)] == [401, 200, 200]
    assert log_in(server) != first


# How a token is sent


def test_what_is_legacy_is_ignored(server: StandIn) -> None:
    token = log_in(server)
    url, body = f"{BASE}/Users/AuthenticateByName", dict(zip(("Username", "Pw"), StandIn.VIEWER))
    legacy: list[tuple[dict[str, str], str]] = [
        ({"X-Emby-Token": token}, ""),
        ({"X-MediaBrowser-Token": token}, ""),
        ({"X-Emby-Authorization": header(token)}, ""),
        ({"Authorization": header(token, "Emby")}, ""),
        ({}, f"?api_key={token}"),
    ]
    for headers, query in legacy:
        assert exchange(server, "GET", f"{BASE}/Users/Me{query}", headers).status == 401
    by = {"X-Emby-Authorization": header(DeviceId="device-9")}
    assert exchange(server, "POST", url, by, body).status == 400
    for name in ("ApiKey", "apikey"):
        assert exchange(server, "GET", f"{BASE}/Users/Me?{name}={token}").status == 200
    server.settings(legacy_authorization=True, version="10.11.11")
    for headers, query in legacy:
        assert exchange(server, "GET", f"{BASE}/Users/Me{query}", headers).status == 200
    assert exchange(server, "POST", url, by, body).status == 200
    assert ask(server, "GET", "/System/Info/Public").json["Version"] == "10.11.11"


def test_other_ways_to_send_it(server: StandIn) -> None:
    token = log_in(server)
    for value in (f"Bearer {token}", token, f"MediaBrowser token={token}", ""):
        reply = exchange(server, "GET", f"{BASE}/Users/Me", {"Authorization": value})
        assert (reply.status, reply.text) == (401, "")
    unquoted = {"Authorization": f"MediaBrowser Token={token}"}
    assert exchange(server, "GET", f"{BASE}/Users/Me", unquoted).status == 200


# Logout


def test_logout(server: StandIn) -> None:
    token, other = log_in(server), log_in(server, DeviceId="device-2")
    assert ask(server, "GET", "/Sessions/Logout", token).status == 405
    reply = ask(server, "POST", "/Sessions/Logout", token)
    assert (reply.status, reply.text) == (204, "")
    assert not server.check(jwt=token)
    for dead in (token, "f" * 32, ""):
        reply = ask(server, "POST", "/Sessions/Logout", dead)
        assert (reply.status, reply.text) == (401, "")
        assert status(server, dead) == 401
    assert status(server, other) == 200


@pytest.mark.parametrize(("fault", "ends"), [("with_status", False), ("ended_but_reset", True)])
def test_a_fault_decides_whether_the_session_ends(server: StandIn, fault: str, ends: bool) -> None:
    token = log_in(server)
    server.fault("/Sessions/Logout", fault, times=1, code=503)
    if ends:
        with pytest.raises(ConnectionError):
            ask(server, "POST", "/Sessions/Logout", token)
    else:
        assert ask(server, "POST", "/Sessions/Logout", token).status == 503
    assert server.check(jwt=token) is not ends


# Devices and sessions


def test_only_an_administrator_sees_devices(server: StandIn) -> None:
    token, other = log_in(server), log_in(server, StandIn.NON_ASCII, DeviceId="device-2")
    for method, path in (("GET", "/Devices"), ("DELETE", "/Devices?id=device-2")):
        assert ask(server, method, path).status == 401
        reply = ask(server, method, path, token)
        assert (reply.status, reply.text) == (403, "")
    server.settings(administrator=StandIn.VIEWER[0])
    devices = ask(server, "GET", "/Devices", token).json
    assert {one["Id"] for one in devices["Items"]} == {"device-1", "device-2"}
    assert devices["TotalRecordCount"] == 2
    assert other not in str(devices)
    assert ask(server, "DELETE", "/Devices", token).status == 400
    assert ask(server, "DELETE", "/Devices?id=unknown", token).status == 404
    server.fault("/Devices", "with_status", times=1, code=500)
    assert ask(server, "DELETE", "/Devices?id=device-2", token).status == 500
    assert status(server, other) == 200
    assert ask(server, "DELETE", "/Devices?id=device-2", token).status == 204
    assert (status(server, other), status(server, token)) == (401, 200)


def test_a_deleted_device_takes_everybody_on_it(server: StandIn) -> None:
    server.settings(administrator=StandIn.VIEWER[0])
    token, other = log_in(server), log_in(server, StandIn.NON_ASCII)
    assert ask(server, "DELETE", "/Devices?id=device-1", token).status == 204
    assert (status(server, token), status(server, other)) == (401, 401)


def test_sessions_are_what_is_active(server: StandIn) -> None:
    token, second = log_in(server), log_in(server, DeviceId="device-2")
    log_in(server, StandIn.NON_ASCII, DeviceId="device-3")

    def listed() -> list[str]:
        found = ask(server, "GET", "/Sessions", token)
        assert found.status == 200
        assert second not in found.text
        return [one["DeviceId"] for one in found.json]

    assert listed() == ["device-1", "device-2"]
    one = ask(server, "GET", "/Sessions?deviceId=device-2", token).json
    assert [found["DeviceId"] for found in one] == ["device-2"]
    server.restart()
    assert listed() == ["device-1"], "the other has not been heard of since, and lives"
    assert status(server, second) == 200
    assert listed() == ["device-1", "device-2"]
    server.settings(administrator=StandIn.NON_ASCII[0])
    watching = log_in(server, StandIn.NON_ASCII, DeviceId="device-4")
    found = ask(server, "GET", "/Sessions", watching).json
    assert [one["DeviceId"] for one in found] == ["device-1", "device-2", "device-4"]
    assert ask(server, "GET", "/Sessions").status == 401


def test_users_by_id(server: StandIn) -> None:
    token = log_in(server)
    known = server.users()[0]
    assert ask(server, "GET", f"/Users/{known['id']}", token).json["Name"] == StandIn.VIEWER[0]
    assert ask(server, "GET", f"/Users/{'0' * 32}", token).status == 404
    assert ask(server, "GET", f"/Users/{known['id']}").status == 401
    assert ask(server, "GET", "/System/Info").status == 401
    assert ask(server, "GET", "/System/Info", token).status == 200


# What lasts


def test_everything_outlives_a_restart_and_a_kill(server: StandIn) -> None:
    gone, token = log_in(server, DeviceId="gone"), log_in(server)
    identity = ask(server, "GET", "/System/Info/Public").json["Id"]
    ask(server, "POST", "/Sessions/Logout", gone)
    server.restart()
    assert (status(server, gone), status(server, token)) == (401, 200)
    server.kill()
    server.start()
    assert (status(server, gone), status(server, token)) == (401, 200)
    assert ask(server, "GET", "/System/Info/Public").json["Id"] == identity
    server.end_session(server.sessions()[1]["id"])
    assert status(server, token) == 401
    server.settings(clock_offset=10 * 365 * 86400)
    assert status(server, log_in(server)) == 200, "a token does not expire"
