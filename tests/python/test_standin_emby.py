"""The Emby server by itself, asked by a client without a line of ours."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.servers.emby.client import BASE, BY, ask, header, log_in, status, try_login
from tests.servers.exchange import exchange
from tests.servers.fixture import StandIn


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("emby").reset()


# The way in


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_a_login_and_who_that_is(server: StandIn, who: tuple[str, str]) -> None:
    answer = try_login(server, *who).json
    token, user = answer["AccessToken"], answer["User"]
    assert (len(token), user["Name"]) == (32, who[0])
    me = ask(server, "GET", f"/emby/Users/{user['Id']}", token)
    assert (me.status, me.json["Name"]) == (200, who[0])
    assert answer["ServerId"] == ask(server, "GET", "/System/Info/Public").json["Id"]
    assert server.check(jwt=token)
    (session,) = server.sessions()
    assert (session["email"], session["device"]) == (who[0], "Living room")
    assert server.journal(f"/emby/Users/{user['Id']}")[0]["session"] == session["id"]


@pytest.mark.parametrize("name", ["Authorization", "X-Emby-Authorization"])
@pytest.mark.parametrize("scheme", ["Emby", "MediaBrowser"])
@pytest.mark.parametrize("prefix", ["/emby", "", "/EMBY"])
def test_the_header_has_two_names(server: StandIn, name: str, scheme: str, prefix: str) -> None:
    url = f"{BASE}{prefix}/users/authenticatebyname"
    body = dict(zip(("Username", "Pw"), server.VIEWER))
    reply = exchange(server, "POST", url, {name: header(scheme=scheme)}, body)
    assert reply.status == 200
    carried = {name: header(reply.json["AccessToken"], scheme)}
    assert exchange(server, "GET", f"{BASE}{prefix}/System/Info", carried).status == 200


@pytest.mark.parametrize(
    ("name", "password"), [(StandIn.VIEWER[0], "wrong"), (StandIn.VIEWER[0], ""), ("nobody", "x")]
)
def test_a_wrong_name_or_password(server: StandIn, name: str, password: str) -> None:
    reply = try_login(server, name, password)
    assert (reply.status, reply.kind) == (401, "text/plain")
    assert reply.text == "Invalid username or password entered."
    assert server.sessions() == []


@pytest.mark.parametrize("missing", list(BY))
def test_a_header_that_is_not_whole(server: StandIn, missing: str) -> None:
    reply = try_login(server, **{missing: ""})
    assert (reply.status, "cannot be null" in reply.text) == (400, True)
    assert server.sessions() == []


def test_bodies_that_are_none(server: StandIn) -> None:
    url, by = f"{BASE}/emby/Users/AuthenticateByName", {"X-Emby-Authorization": header()}
    form = dict(zip(("Username", "Pw"), server.VIEWER))
    assert exchange(server, "POST", url, by, form=form).status == 400
    as_text = {**by, "Content-Type": "text/plain"}
    assert exchange(server, "POST", url, as_text, form).status == 400
    assert exchange(server, "POST", url, by, ["x"]).status == 400
    assert exchange(server, "POST", url, by, {}).status == 401
    assert exchange(server, "DELETE", url, by).status == 405
    assert ask(server, "GET", "/emby/Nowhere").status == 404


def test_an_account_that_is_disabled(server: StandIn) -> None:
    token = log_in(server)
    server.settings(disabled=server.VIEWER[0])
    reply = try_login(server)
    assert (reply.status, "currently disabled" in reply.text) == (401, True)
    assert status(server, token) == 401
    assert try_login(server, *server.NON_ASCII).status == 200
    server.settings(disabled="")
    assert try_login(server).status == 200


def test_a_second_login_with_the_same_device(server: StandIn) -> None:
    first, elsewhere = log_in(server), log_in(server, DeviceId="device-2")
    assert log_in(server) == first, "the token is given again"
    other = log_in(server, StandIn.NON_ASCII)
    assert [status(server, one) for one in (first, elsewhere, other)] == [401, 200, 200]
    server.settings(reissues_token=False)
    second = log_in(server, StandIn.NON_ASCII)
    assert [status(server, one) for one in (other, second)] == [401, 200]


# With a token


def test_a_token_is_sent_in_four_ways(server: StandIn) -> None:
    token = log_in(server)
    url = f"{BASE}/emby/System/Info"
    for name in ("X-Emby-Token", "X-MediaBrowser-Token"):
        assert exchange(server, "GET", url, {name: token}).status == 200
    assert exchange(server, "GET", f"{url}?api_key={token}").status == 200
    for refused in ({"Authorization": f"Bearer {token}"}, {"X-Emby-Authorization": header()}):
        reply = exchange(server, "GET", url, refused)
        assert (reply.status, reply.text) == (401, "Access token is required.")


@pytest.mark.parametrize("empty", [200, 204])
def test_logout(server: StandIn, empty: int) -> None:
    server.settings(empty_status=empty)
    token, other = log_in(server), log_in(server, DeviceId="device-2")
    assert ask(server, "GET", "/emby/Sessions/Logout", token).status == 405
    reply = ask(server, "POST", "/emby/Sessions/Logout", token)
    assert (reply.status, reply.text) == (empty, "")
    assert not server.check(jwt=token)
    for dead in (token, "f" * 32):
        reply = ask(server, "POST", "/emby/Sessions/Logout", dead)
        assert (reply.status, reply.text) == (401, "Access token is invalid or expired.")
        assert status(server, dead) == 401
    assert ask(server, "POST", "/emby/Sessions/Logout").text == "Access token is required."
    assert status(server, other) == 200
    assert log_in(server) != token, "a dead one is not given again"


@pytest.mark.parametrize(("fault", "ends"), [("with_status", False), ("ended_but_reset", True)])
def test_a_fault_decides_whether_the_session_ends(server: StandIn, fault: str, ends: bool) -> None:
    token = log_in(server)
    server.fault("/emby/Sessions/Logout", fault, times=1, code=503)
    if ends:
        with pytest.raises(ConnectionError):
            ask(server, "POST", "/emby/Sessions/Logout", token)
    else:
        assert ask(server, "POST", "/emby/Sessions/Logout", token).status == 503
    assert server.check(jwt=token) is not ends


def test_who_is_asked_by_id(server: StandIn) -> None:
    token = log_in(server)
    assert ask(server, "GET", "/emby/Users/Me", token).status == 500
    server.settings(users_me=True)
    assert ask(server, "GET", "/emby/Users/Me", token).json["Name"] == server.VIEWER[0]
    assert ask(server, "GET", f"/emby/Users/{'0' * 32}", token).status == 404
    assert ask(server, "GET", f"/emby/Users/{server.users()[0]['id']}").status == 401


def test_sessions(server: StandIn) -> None:
    token = log_in(server)
    other = log_in(server, StandIn.NON_ASCII, DeviceId="device-2")
    mine = ask(server, "GET", "/emby/Sessions", token)
    assert [one["DeviceId"] for one in mine.json] == ["device-1"]
    server.settings(administrator=StandIn.NON_ASCII[0])
    found = ask(server, "GET", "/emby/Sessions", other)
    assert [one["DeviceId"] for one in found.json] == ["device-1", "device-2"]
    assert token not in found.text


@pytest.mark.parametrize("refusal", ["401", "403"])
def test_only_an_administrator_sees_devices(server: StandIn, refusal: str) -> None:
    server.settings(admin_refusal=refusal)
    token, other = log_in(server), log_in(server, StandIn.NON_ASCII, DeviceId="device-2")
    ways = [("DELETE", "/emby/Devices"), ("POST", "/emby/Devices/Delete")]
    for method, path in [("GET", "/emby/Devices"), *ways]:
        reply = ask(server, method, f"{path}?Id=device-2", token)
        assert (reply.status, reply.text) == (int(refusal), "User does not have admin access.")
    assert status(server, token) == 200
    server.settings(administrator=StandIn.VIEWER[0])
    found = ask(server, "GET", "/emby/Devices", token)
    assert {one["Id"] for one in found.json["Items"]} == {"device-1", "device-2"}
    assert other not in found.text
    for method, path in ways:
        assert ask(server, method, path, token).status == 400
        assert ask(server, method, f"{path}?Id=unknown", token).status == 404
        again = log_in(server, StandIn.NON_ASCII, DeviceId="device-2")
        server.fault(path, "with_status", times=1, code=500)
        assert ask(server, method, f"{path}?Id=device-2", token).status == 500
        assert status(server, again) == 200
        assert ask(server, method, f"{path}?Id=device-2", token).status == 200
        assert status(server, again) == 401


# What lasts


def test_everything_outlives_a_restart_and_a_kill(server: StandIn) -> None:
    gone, token = log_in(server, DeviceId="gone"), log_in(server)
    ask(server, "POST", "/emby/Sessions/Logout", gone)
    server.restart()
    assert (status(server, gone), status(server, token)) == (401, 200)
    server.kill()
    server.start()
    assert (status(server, gone), status(server, token)) == (401, 200)
    server.settings(clock_offset=10 * 365 * 86400)
    assert status(server, token) == 200, "a token does not expire"
    server.end_session(server.sessions()[1]["id"])
    assert status(server, token) == 401


def test_in_the_clear_where_that_is_asked_for(server: StandIn) -> None:
    plain = f"http://emby.home-demo.example:{server.port}"
    assert exchange(server, "GET", f"{plain}/System/Info/Public").status == 421
    server.settings(plain_http=True)
    assert server.parameters == {"base": plain}
    token = log_in(server)
    assert exchange(server, "GET", f"{plain}/System/Info?api_key={token}").status == 200
