"""Quick Connect of the Jellyfin server, asked by a client without a line of ours."""

from __future__ import annotations

from typing import Callable

import pytest

from tests.servers.exchange import Reply, exchange
from tests.servers.fixture import StandIn
from tests.servers.jellyfin.client import BASE, ask, header, log_in, status


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("jellyfin").reset()


def initiate(server: StandIn, method: str = "POST", **by: str) -> Reply:
    url = f"{BASE}/QuickConnect/Initiate"
    return exchange(server, method, url, {"Authorization": header(**by)})


def connect(server: StandIn, secret: str) -> Reply:
    return ask(server, "GET", f"/QuickConnect/Connect?secret={secret}")


def redeem(server: StandIn, secret: str) -> Reply:
    return ask(server, "POST", "/Users/AuthenticateWithQuickConnect", body={"Secret": secret})


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_from_the_code_to_the_token(server: StandIn, who: tuple[str, str], method: str) -> None:
    assert ask(server, "GET", "/QuickConnect/Enabled").json is True
    started = initiate(server, method).json
    assert (len(started["Code"]), len(started["Secret"])) == (6, 64)
    assert started["Code"].isdigit()
    assert started["Authenticated"] is False
    assert connect(server, started["Secret"]).json == started
    early = redeem(server, started["Secret"])
    assert (early.status, early.text) == (404, "Error processing request.")
    with pytest.raises(ValueError, match="wrong name or password"):
        server.approve(started["Code"], who[0], "wrong")
    server.approve(started["Code"], *who)
    assert [one["email"] for one in server.sessions()] == [who[0]], "before anybody asks for it"
    assert connect(server, started["Secret"]).json["Authenticated"] is True
    answer = redeem(server, started["Secret"]).json
    assert answer["User"]["Name"] == who[0]
    assert answer["SessionInfo"]["DeviceId"] == "device-1"
    assert status(server, answer["AccessToken"]) == 200


def test_a_secret_gives_the_same_token_again(server: StandIn) -> None:
    started = initiate(server).json
    server.approve(started["Code"])
    token = redeem(server, started["Secret"]).json["AccessToken"]
    assert redeem(server, started["Secret"]).json["AccessToken"] == token
    assert ask(server, "POST", "/Sessions/Logout", token).status == 204
    assert redeem(server, started["Secret"]).json["AccessToken"] == token
    assert status(server, token) == 401, "given again, but dead"


def test_a_viewer_types_the_code_himself(server: StandIn) -> None:
    token = log_in(server, DeviceId="phone")
    started = initiate(server).json
    path = f"/QuickConnect/Authorize?code={started['Code']}"
    assert ask(server, "POST", path).status == 401
    assert ask(server, "POST", "/QuickConnect/Authorize", token).status == 400
    assert ask(server, "POST", "/QuickConnect/Authorize?code=000000", token).status == 404
    assert ask(server, "POST", path, token).json is True
    assert ask(server, "POST", path, token).status == 500
    assert redeem(server, started["Secret"]).status == 200


def test_it_is_refused(server: StandIn) -> None:
    unknown = connect(server, "F" * 64)
    assert (unknown.status, unknown.json) == (404, "Unknown secret")
    assert ask(server, "GET", "/QuickConnect/Connect").status == 400
    assert initiate(server, DeviceId="").status == 400
    url = f"{BASE}/Users/AuthenticateWithQuickConnect"
    assert exchange(server, "POST", url, form={"Secret": "x"}).status == 415
    assert exchange(server, "POST", url, json_body={}).status == 400
    started = initiate(server).json
    server.settings(quick_connect=False)
    assert ask(server, "GET", "/QuickConnect/Enabled").json is False
    for reply in (initiate(server), connect(server, started["Secret"])):
        assert (reply.status, reply.json) == (401, "Quick connect is disabled")
    assert redeem(server, started["Secret"]).status == 401


def test_nobody_allows_it(server: StandIn) -> None:
    started = initiate(server).json
    server.approve(started["Code"], deny=True)
    assert connect(server, started["Secret"]).json["Authenticated"] is False
    server.settings(clock_offset=595)
    assert connect(server, started["Secret"]).status == 200
    server.settings(clock_offset=601)
    assert connect(server, started["Secret"]).status == 404
    with pytest.raises(ValueError, match="no such code"):
        server.approve(started["Code"])


def test_what_was_allowed_lasts_ten_minutes_too(server: StandIn) -> None:
    started = initiate(server).json
    server.settings(clock_offset=590)
    server.approve(started["Code"])
    server.settings(clock_offset=590 + 590)
    assert redeem(server, started["Secret"]).status == 200
    server.settings(clock_offset=590 + 610)
    assert redeem(server, started["Secret"]).status == 404
    assert server.sessions()[0]["alive"], "though nobody holds its token"


def test_an_allowed_code_ends_what_the_device_had(server: StandIn) -> None:
    token = log_in(server)
    server.approve(initiate(server).json["Code"])
    assert status(server, token) == 401


def test_a_restart_forgets_codes(server: StandIn) -> None:
    started = initiate(server).json
    server.restart()
    assert connect(server, started["Secret"]).status == 404
