"""The stand-in for Simkl: does it do what api.simkl.org says?"""

from __future__ import annotations

import urllib.parse
from typing import Any, Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.grants.client import Answer, ask

API = "https://api.simkl.com"
BOTH = pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
YEAR = 365 * 24 * 3600


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("simkl").reset()


def get(server: StandIn, path: str, query: dict[str, str] | None = None, **headers: Any) -> Answer:
    named = server.parameters if query is None else query
    return ask(server, "GET", f"{API}{path}?{urllib.parse.urlencode(named)}", **headers)


def who_is(server: StandIn, token: str, body: Any = None, **headers: Any) -> Answer:
    url = f"{API}/users/settings?{urllib.parse.urlencode(server.parameters)}"
    given: dict[str, Any] = {"authorization": f"Bearer {token}" if token else "", **headers}
    return ask(server, "POST", url, body={} if body is None else body, **given)


def new_code(server: StandIn) -> dict[str, Any]:
    answer = get(server, "/oauth/pin")
    assert answer.status == 200
    found: dict[str, Any] = answer.json
    return found


def poll(server: StandIn, user_code: str) -> dict[str, Any]:
    answer = get(server, f"/oauth/pin/{user_code}")
    assert answer.status == 200, "whatever comes of it"
    found: dict[str, Any] = answer.json
    return found


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> str:
    code = new_code(server)["user_code"]
    server.approve(code, *who)
    token: str = poll(server, code)["access_token"]
    return token


PENDING = {"result": "KO", "message": "Authorization pending"}


@BOTH
def test_a_pin_login(server: StandIn, who: tuple[str, str]) -> None:
    found = new_code(server)
    code = found["user_code"]
    assert {name: value for name, value in found.items() if name != "user_code"} == {
        "result": "OK",
        "device_code": "DEVICE_CODE",
        "verification_uri": "https://simkl.com/pin",
        "verification_url": "https://simkl.com/pin",
        "expires_in": 900,
        "interval": 5,
    }
    assert [poll(server, code) for _ in range(2)] == [PENDING, PENDING]
    server.approve(code, *who)
    answer = poll(server, code)
    assert set(answer) == {"result", "access_token"}
    told = who_is(server, answer["access_token"]).json
    known = next(user for user in server.users() if user["email"] == who[0])
    assert (told["user"]["name"], told["account"]["id"]) == (known["name"], int(known["id"]))


def test_ok_alone_is_no_login(server: StandIn) -> None:
    taken = new_code(server)["user_code"]
    server.approve(taken)
    assert "access_token" in poll(server, taken)
    late = new_code(server)["user_code"]
    server.settings(clock_offset=901)
    for gone in (taken, late, "NOBODY"):
        answer = poll(server, gone)
        assert (answer["result"], answer["device_code"]) == ("OK", "DEVICE_CODE")
        assert answer["user_code"] not in (taken, late, "NOBODY")
        assert "access_token" not in answer
    assert len(server.sessions()) == 1


def test_whose_user_said_no_waits_on(server: StandIn) -> None:
    code = new_code(server)["user_code"]
    server.approve(code, deny=True)
    assert poll(server, code) == PENDING
    with pytest.raises(ValueError, match="no device"):
        server.approve(code)


def test_haste_where_it_is_noticed(server: StandIn) -> None:
    server.settings(notices_haste=True)
    code = new_code(server)["user_code"]
    assert [poll(server, code)["message"] for _ in range(2)] == [
        "Authorization pending",
        "Slow down",
    ]
    server.settings(clock_offset=6)
    assert poll(server, code) == PENDING
    server.settings(clock_offset=0, notices_haste=False, slow_down_times=1)
    code = new_code(server)["user_code"]
    assert [poll(server, code)["message"] for _ in range(2)] == [
        "Slow down",
        "Authorization pending",
    ]


def test_which_client(server: StandIn) -> None:
    wrong = {
        "error": "client_id_failed",
        "code": 412,
        "message": "Your client_id is wrong. Try another one",
    }
    for answer in (
        get(server, "/oauth/pin", {}),
        get(server, "/oauth/pin", {"client_id": "nobody"}),
        get(server, "/oauth/pin/ABCDEF", {"client_id": "nobody"}),
        ask(server, "POST", f"{API}/users/settings", body={}, authorization="Bearer x"),
    ):
        assert (answer.status, answer.json) == (412, wrong)
    key = server.parameters["client_id"]
    assert get(server, "/oauth/pin", {}, simkl_api_key=key).status == 200
    assert get(server, "/oauth/pin", user_agent="").status == 400
    server.settings(wants_app_name=True)
    assert get(server, "/oauth/pin").json["error"] == "empty_field"
    named = {**server.parameters, "app-name": "test", "app-version": "1.0"}
    assert get(server, "/oauth/pin", named).status == 200
    unknown = get(server, "/oauth/revoke", named)
    assert (unknown.status, unknown.json["error"]) == (404, "url_failed")


def test_a_dead_token(server: StandIn) -> None:
    token = log_in(server)
    for wrong in ("", "nonsense"):
        refused = who_is(server, wrong)
        assert (refused.status, refused.json["error"]) == (401, "user_token_failed")
        assert refused.json["code"] == 401
    assert who_is(server, token, content_type="text/plain").status == 400
    url = f"{API}/users/settings?{urllib.parse.urlencode(server.parameters)}"
    bare = ask(server, "POST", url, authorization=f"Bearer {token}")
    assert bare.status == 200, "without a body it needs no type"
    server.settings(clock_offset=4 * YEAR)
    assert who_is(server, token).status == 200
    server.settings(clock_offset=6 * YEAR)
    assert who_is(server, token).status == 401


def test_only_the_user_ends_it(server: StandIn) -> None:
    mine, other = log_in(server), log_in(server, StandIn.NON_ASCII)
    for path in ("/oauth/revoke", "/oauth2/revoke", "/oauth/token"):
        assert ask(server, "POST", API + path, body={"token": mine}).status == 404
    assert server.check(jwt=mine)
    server.end_session(server.sessions()[0]["id"])
    assert who_is(server, mine).status == 401
    assert who_is(server, other).status == 200


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_state_outlives_the_process(server: StandIn, end: str) -> None:
    token, waiting = log_in(server), new_code(server)["user_code"]
    if end == "kill":
        server.kill()
        server.start()
    else:
        server.restart()
    assert who_is(server, token).status == 200
    server.approve(waiting)
    assert "access_token" in poll(server, waiting)


def test_the_journal_knows_whose_request_it_was(server: StandIn) -> None:
    first, second = log_in(server), log_in(server, StandIn.NON_ASCII)
    server.clear_journal()
    who_is(server, second)
    who_is(server, first)
    ids = [one["id"] for one in server.sessions()]
    assert [one["session"] for one in server.journal()] == [ids[1], ids[0]]
