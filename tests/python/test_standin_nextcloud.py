"""Nextcloud's stand-in by itself, asked by a client without a line of ours."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.servers.caller import Answer, ask, basic, bearer
from tests.servers.fixture import StandIn

OCS = {"OCS-APIRequest": "true"}


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("nextcloud").reset()


def begin(server: StandIn, client: str = "Some program") -> Any:
    url = f"{server.parameters['base']}/index.php/login/v2"
    answer = ask(server, "POST", url, headers={"User-Agent": client})
    assert answer.status == 200
    return answer.json


def poll(server: StandIn, begun: Any) -> Answer:
    return ask(server, "POST", begun["poll"]["endpoint"], form={"token": begun["poll"]["token"]})


def is_not_there(answer: Answer) -> bool:
    return (answer.status, answer.json) == (404, [])


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> Any:
    begun = begin(server)
    server.approve(begun["login"], *who)
    return poll(server, begun).json


def call(server: StandIn, method: str, path: str, login: dict[str, str], **more: str) -> Answer:
    """`login` as a poll gives it."""
    url = f"{server.parameters['base']}/ocs/v2.php{path}?format=json"
    headers = {**OCS, **basic(login["loginName"], login["appPassword"]), **more}
    return ask(server, method, url, headers=headers)


def who_am_i(server: StandIn, login: dict[str, str]) -> Answer:
    return call(server, "GET", "/cloud/user", login)


def code_of(answer: Answer) -> tuple[int, int]:
    return answer.status, answer.json["ocs"]["meta"]["statuscode"]


def test_beginning(server: StandIn) -> None:
    begun = begin(server)
    assert len(begun["poll"]["token"]) == 128
    assert begun["poll"]["endpoint"] == "https://cloud.home-demo.example/login/v2/poll"
    assert begun["login"].startswith("https://cloud.home-demo.example/login/v2/flow/")
    page = ask(server, "GET", begun["login"])
    assert (page.status, "Some program" in page.text) == (200, True)
    assert ask(server, "GET", begun["login"] + "x").status == 403
    assert ask(server, "GET", f"{server.parameters['base']}/login/v2").status == 405
    server.settings(pretty_addresses=False)
    assert "/index.php/login/v2/poll" in begin(server)["poll"]["endpoint"]


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_logging_in(server: StandIn, who: tuple[str, str]) -> None:
    begun = begin(server)
    assert is_not_there(poll(server, begun))
    server.approve(begun["login"], *who)
    got = poll(server, begun)
    assert got.status == 200
    assert set(got.json) == {"server", "loginName", "appPassword"}
    assert got.json["server"] == "https://cloud.home-demo.example"
    assert len(got.json["appPassword"]) == 72
    assert is_not_there(poll(server, begun))
    me = who_am_i(server, got.json)
    assert code_of(me) == (200, 200)
    assert me.json["ocs"]["data"]["email"] == who[0]
    assert me.json["ocs"]["data"]["id"] != who[0]
    (session,) = server.sessions()
    assert session["name"] == "Some program"
    assert server.journal("/ocs/v2.php/cloud/user")[0]["session"] == session["id"]
    assert server.check(jwt=got.json["appPassword"])


def test_all_that_is_not_ready_is_not_there(server: StandIn) -> None:
    closed, late = begin(server), begin(server)
    server.approve(closed["login"], deny=True)
    assert is_not_there(poll(server, closed))
    with pytest.raises(ValueError, match="wrong password"):
        server.approve(closed["login"], password="wrong")
    server.approve(late["login"])
    server.settings(clock_offset=1201)
    assert is_not_there(poll(server, late))
    with pytest.raises(ValueError, match="invalid or has expired"):
        server.approve(closed["login"])
    endpoint = closed["poll"]["endpoint"]
    assert is_not_there(ask(server, "POST", endpoint, form={"token": "x"}))
    assert ask(server, "POST", endpoint, form={}).status == 500
    assert ask(server, "GET", endpoint).status == 405
    assert [one["collected"] for one in server.sessions()] == [False]


def test_who_is_let_in(server: StandIn) -> None:
    login = log_in(server)
    url = f"{server.parameters['base']}/ocs/v2.php/cloud/user?format=json"
    right = basic(login["loginName"], login["appPassword"])
    forged = ask(server, "GET", url, headers=right)
    assert (forged.status, forged.json) == (412, {"message": "CSRF check failed"})
    assert code_of(ask(server, "GET", url, headers=OCS)) == (401, 997)
    for headers in (basic("somebody", login["appPassword"]), bearer(login["appPassword"])):
        assert code_of(ask(server, "GET", url, headers={**OCS, **headers})) == (401, 997)
    xml = ask(server, "GET", url.partition("?")[0], headers={**OCS, **right})
    assert "<statuscode>200</statuscode>" in xml.text
    accepted = {**OCS, **right, "Accept": "application/json"}
    assert ask(server, "GET", url.partition("?")[0], headers=accepted).json["ocs"]
    old = ask(server, "GET", url.replace("v2", "v1"), headers={**OCS, **right})
    assert code_of(old) == (200, 100)
    own = ask(server, "GET", url, headers={**OCS, **basic(*StandIn.VIEWER)})
    assert own.status == 200
    server.settings(two_factor=True)
    assert ask(server, "GET", url, headers={**OCS, **basic(*StandIn.VIEWER)}).status == 401


def test_deleting_the_app_password(server: StandIn) -> None:
    login, other = log_in(server), log_in(server)
    deleted = call(server, "DELETE", "/core/apppassword", login)
    assert deleted.status == 200
    meta = {"status": "ok", "statuscode": 200, "message": "OK"}
    assert deleted.json == {"ocs": {"meta": meta, "data": []}}
    assert code_of(who_am_i(server, login)) == (401, 997)
    assert code_of(call(server, "DELETE", "/core/apppassword", login)) == (401, 997)
    assert who_am_i(server, other).status == 200
    name, password = StandIn.VIEWER
    real = {"loginName": name, "appPassword": password}
    refused = call(server, "DELETE", "/core/apppassword", real)
    assert code_of(refused) == (403, 403)
    assert [one["alive"] for one in server.sessions()] == [False, True]


def test_a_spoilt_answer_deletes_nothing(server: StandIn) -> None:
    login = log_in(server)
    server.fault("/ocs/v2.php/core/apppassword", "with_status", code=503, times=1)
    assert call(server, "DELETE", "/core/apppassword", login).status == 503
    assert who_am_i(server, login).status == 200


def test_app_passwords_from_real_ones_and_from_others(server: StandIn) -> None:
    name, password = StandIn.VIEWER
    real = {"loginName": name, "appPassword": password}
    made = call(server, "GET", "/core/getapppassword", real, **{"User-Agent": "mine"})
    login = {**real, "appPassword": made.json["ocs"]["data"]["apppassword"]}
    assert who_am_i(server, login).status == 200
    assert code_of(call(server, "GET", "/core/getapppassword", login)) == (403, 403)
    rotated = call(server, "POST", "/core/apppassword/rotate", login)
    newer = {**real, "appPassword": rotated.json["ocs"]["data"]["apppassword"]}
    assert who_am_i(server, login).status == 401
    assert who_am_i(server, newer).status == 200
    assert [one["name"] for one in server.sessions()] == ["mine"]


def test_too_many_wrong_passwords(server: StandIn) -> None:
    login = log_in(server)
    wrong = {**login, "appPassword": "wrong"}
    for _ in range(11):
        assert who_am_i(server, wrong).status == 401
    assert who_am_i(server, login).status == 429
    server.settings(clock_offset=1801)
    assert who_am_i(server, login).status == 200


def test_a_wipe(server: StandIn) -> None:
    login = log_in(server)
    core = f"{server.parameters['base']}/index.php/core/wipe"
    form = {"token": login["appPassword"]}
    assert is_not_there(ask(server, "POST", f"{core}/check", form=form))
    server.settings(wipe=True)
    assert who_am_i(server, login).status == 401
    server.fault("/index.php/core/wipe/success", "with_status", code=503, times=1)
    assert ask(server, "POST", f"{core}/success", form=form).status == 503
    assert ask(server, "POST", f"{core}/check", form=form).json == {"wipe": True}
    assert ask(server, "POST", f"{core}/success", form=form).status == 200
    assert is_not_there(ask(server, "POST", f"{core}/check", form=form))
    assert server.sessions()[0]["ended_by"] == "wipe"


def test_maintenance(server: StandIn) -> None:
    login = log_in(server)
    server.settings(maintenance=True)
    answer = who_am_i(server, login)
    assert (answer.status, answer.headers["x-nextcloud-maintenance-mode"]) == (503, "1")
    server.settings(maintenance=False)
    assert who_am_i(server, login).status == 200


def test_in_the_clear(server: StandIn) -> None:
    secure = server.parameters["base"]
    login = log_in(server)
    server.settings(plain_http=True)
    plain = server.parameters["base"]
    assert plain == f"http://cloud.home-demo.example:{server.port}"
    assert who_am_i(server, login).status == 200
    begun = begin(server)
    assert begun["login"].startswith(f"{plain}/login/v2/flow/")
    server.approve(begun["login"])
    assert poll(server, begun).json["server"] == plain
    server.settings(plain_http=False)
    assert server.parameters["base"] == secure
    assert ask(server, "POST", f"{plain}/index.php/login/v2").status == 421


def test_its_own_idea_of_its_address(server: StandIn) -> None:
    server.settings(own_address="https://cloud.elsewhere-demo.example/nextcloud")
    begun = begin(server)
    assert begun["poll"]["endpoint"].startswith("https://cloud.elsewhere-demo.example/nextcloud/")


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_state_outlives_the_process(server: StandIn, how: str) -> None:
    login, begun = log_in(server), begin(server)
    getattr(server, how)()
    server.start()
    assert who_am_i(server, login).status == 200
    server.approve(begun["login"], *StandIn.NON_ASCII)
    assert poll(server, begun).json["loginName"] == StandIn.NON_ASCII[0]
    server.end_session(server.sessions()[0]["id"])
    assert who_am_i(server, login).status == 401
