"""Real-Debrid's stand-in by itself, asked by a client without a line of ours."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.servers.caller import Answer, ask, bearer
from tests.servers.fixture import StandIn

OAUTH = "https://api.real-debrid.com/oauth/v2"
REST = "https://api.real-debrid.com/rest/1.0"
CLIENT = "X245A4XAIBGVM"
GRANT = "http://oauth.net/grant_type/device/1.0"


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("real-debrid").reset()


def begin(server: StandIn, more: str = "&new_credentials=yes") -> Any:
    answer = ask(server, "GET", f"{OAUTH}/device/code?client_id={CLIENT}{more}")
    assert answer.status == 200
    return answer.json


def poll(server: StandIn, code: str) -> Answer:
    return ask(server, "GET", f"{OAUTH}/device/credentials?client_id={CLIENT}&code={code}")


def exchange(server: StandIn, credentials: dict[str, str], code: str, **other: str) -> Answer:
    form = {**credentials, "code": code, "grant_type": GRANT, **other}
    return ask(server, "POST", f"{OAUTH}/token", form=form)


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> tuple[Any, Any]:
    """The client's credentials and the tokens."""
    begun = begin(server)
    server.approve(begun["user_code"], *who)
    credentials = poll(server, begun["device_code"]).json
    tokens = exchange(server, credentials, begun["device_code"])
    assert tokens.status == 200
    return credentials, tokens.json


def who_am_i(server: StandIn, token: str) -> Answer:
    return ask(server, "GET", f"{REST}/user", headers=bearer(token))


def is_undecided(answer: Answer) -> bool:
    return (answer.status, answer.json) == (403, {"error": None, "error_code": None})


def test_the_codes(server: StandIn) -> None:
    begun = begin(server)
    assert begun["verification_url"] == "https://real-debrid.com/device"
    assert (begun["interval"], begun["expires_in"]) == (5, 900)
    assert len(begun["device_code"]) == 52
    assert len(begun["user_code"]) == 8
    assert begun["direct_verification_url"].endswith(f"device_id={begun['device_code']}")
    server.settings(direct_address=False, code_lifetime=600)
    assert "direct_verification_url" not in begin(server)
    assert ask(server, "GET", begun["verification_url"]).status == 200


def test_no_codes(server: StandIn) -> None:
    for query, error in (("", 1), ("?client_id=other", 2)):
        refused = ask(server, "GET", f"{OAUTH}/device/code{query}")
        assert (refused.status, refused.json["error_code"]) == (400, error)
    posted = ask(server, "POST", f"{OAUTH}/device/code", form={"client_id": CLIENT})
    assert (posted.status, posted.json["error_code"]) == (405, 4)
    assert ask(server, "GET", f"{OAUTH}/nowhere").json["error_code"] == 7


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_logging_in(server: StandIn, who: tuple[str, str]) -> None:
    credentials, tokens = log_in(server, who)
    assert set(credentials) == {"client_id", "client_secret"}
    assert credentials["client_id"] != CLIENT
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 86400)
    me = who_am_i(server, tokens["access_token"])
    assert (me.status, me.json["email"]) == (200, who[0])
    asked = ask(server, "GET", f"{REST}/user?auth_token={tokens['access_token']}")
    assert asked.json == me.json
    assert server.check(jwt=tokens["access_token"])
    assert server.check(refresh_token=tokens["refresh_token"])
    (session,) = server.sessions()
    assert server.journal("/rest/1.0/user")[0]["session"] == session["id"]


def test_pending_denied_expired_and_unknown_look_alike(server: StandIn) -> None:
    pending, denied, expired = begin(server), begin(server), begin(server)
    assert is_undecided(poll(server, pending["device_code"]))
    server.approve(denied["user_code"], deny=True)
    assert is_undecided(poll(server, denied["device_code"]))
    assert is_undecided(poll(server, "nonsense"))
    server.approve(expired["user_code"])
    assert poll(server, expired["device_code"]).status == 200
    server.settings(clock_offset=901)
    assert is_undecided(poll(server, expired["device_code"]))
    with pytest.raises(ValueError, match="no open code"):
        server.approve(pending["user_code"])
    assert server.sessions() == []


def test_what_cannot_be_approved(server: StandIn) -> None:
    begun = begin(server)
    with pytest.raises(ValueError, match="wrong password"):
        server.approve(begun["user_code"], password="wrong")
    assert is_undecided(poll(server, begun["device_code"]))
    server.approve(begun["user_code"])
    with pytest.raises(ValueError, match="no open code"):
        server.approve(begun["user_code"])


def test_without_new_credentials_there_are_none(server: StandIn) -> None:
    begun = begin(server, "")
    server.approve(begun["user_code"])
    assert is_undecided(poll(server, begun["device_code"]))


def test_a_code_serves_once_and_its_own_client(server: StandIn) -> None:
    begun, other = begin(server), begin(server)
    device_code = begun["device_code"]
    server.approve(begun["user_code"])
    server.approve(other["user_code"])
    credentials = poll(server, device_code).json
    wrong = poll(server, other["device_code"]).json
    public = {"client_id": CLIENT, "client_secret": ""}
    assert exchange(server, wrong, device_code).status == 403
    assert exchange(server, public, device_code).status == 403
    refused = exchange(server, credentials, device_code, grant_type="authorization_code")
    assert refused.status == 400
    document = {**credentials, "code": device_code, "grant_type": GRANT}
    json_body = ask(server, "POST", f"{OAUTH}/token", document=document)
    assert (json_body.status, json_body.json["error_code"]) == (400, 1)
    assert ask(server, "GET", f"{OAUTH}/token").status == 405
    assert exchange(server, credentials, device_code).status == 200
    assert exchange(server, credentials, device_code).status == 400
    assert len(server.sessions()) == 1


def test_renewal(server: StandIn) -> None:
    credentials, tokens = log_in(server)
    wrong, _ = log_in(server)
    assert exchange(server, wrong, tokens["refresh_token"]).status == 403
    server.settings(clock_offset=86401)
    assert who_am_i(server, tokens["access_token"]).json == {"error": "bad_token", "error_code": 8}
    renewed = exchange(server, credentials, tokens["refresh_token"]).json
    assert renewed["refresh_token"] == tokens["refresh_token"]
    assert who_am_i(server, renewed["access_token"]).status == 200
    server.settings(rotates=True)
    rotated = exchange(server, credentials, tokens["refresh_token"]).json
    assert rotated["refresh_token"] != tokens["refresh_token"]
    assert exchange(server, credentials, tokens["refresh_token"]).status == 400
    assert exchange(server, credentials, rotated["refresh_token"]).status == 200
    assert exchange(server, credentials, "nonsense").status == 400
    assert server.sessions()[0]["renewals"] == 3


def test_disabling_ends_the_token_but_not_what_renews_it(server: StandIn) -> None:
    credentials, tokens = log_in(server)
    _, other = log_in(server, StandIn.NON_ASCII)
    headers = bearer(tokens["access_token"])
    disabled = ask(server, "GET", f"{REST}/disable_access_token", headers=headers)
    assert (disabled.status, disabled.text) == (204, "")
    assert who_am_i(server, tokens["access_token"]).status == 401
    again = ask(server, "GET", f"{REST}/disable_access_token", headers=headers)
    assert (again.status, again.json["error_code"]) == (401, 8)
    assert who_am_i(server, other["access_token"]).status == 200
    renewed = exchange(server, credentials, tokens["refresh_token"])
    assert renewed.status == 200
    server.settings(disable_ends_grant=True)
    headers = bearer(renewed.json["access_token"])
    assert ask(server, "GET", f"{REST}/disable_access_token", headers=headers).status == 204
    assert exchange(server, credentials, tokens["refresh_token"]).status == 400
    assert [one["alive"] for one in server.sessions()] == [False, True]


def test_a_spoilt_answer_disables_nothing(server: StandIn) -> None:
    _, tokens = log_in(server)
    server.fault("/rest/1.0/disable_access_token", "with_status", code=503, times=1)
    headers = bearer(tokens["access_token"])
    assert ask(server, "GET", f"{REST}/disable_access_token", headers=headers).status == 503
    assert who_am_i(server, tokens["access_token"]).status == 200


def test_taken_back_by_the_user(server: StandIn) -> None:
    credentials, tokens = log_in(server)
    server.end_session(server.sessions()[0]["id"])
    assert who_am_i(server, tokens["access_token"]).status == 401
    assert exchange(server, credentials, tokens["refresh_token"]).status == 400
    assert not server.check(refresh_token=tokens["refresh_token"])


def test_limits_and_locks(server: StandIn) -> None:
    _, tokens = log_in(server)
    server.settings(account_locked=True)
    locked = who_am_i(server, tokens["access_token"])
    assert (locked.status, locked.json["error_code"]) == (403, 9)
    server.settings(requests_per_minute=3)
    limited = who_am_i(server, tokens["access_token"])
    assert (limited.status, limited.json["error_code"]) == (429, 34)
    server.reset()
    assert ask(server, "GET", f"{REST}/time").text.count(":") == 2
    assert "T" in ask(server, "GET", f"{REST}/time/iso").text


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_state_outlives_the_process(server: StandIn, how: str) -> None:
    credentials, tokens = log_in(server)
    begun = begin(server)
    getattr(server, how)()
    server.start()
    assert who_am_i(server, tokens["access_token"]).status == 200
    assert exchange(server, credentials, tokens["refresh_token"]).status == 200
    server.approve(begun["user_code"])
    assert poll(server, begun["device_code"]).status == 200
