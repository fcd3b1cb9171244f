"""GitHub's stand-in by itself, asked by a client without a line of ours."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.servers.caller import Answer, ask, basic, bearer
from tests.servers.fixture import StandIn
from tests.servers.github import CLIENT_ID, CLIENT_SECRET, DEVICE

CODE = "https://github.com/login/device/code"
TOKEN = "https://github.com/login/oauth/access_token"
API = "https://api.github.com"
APP = f"{API}/applications/{CLIENT_ID}"
JSON = {"Accept": "application/json"}
AGENT = {"User-Agent": "a-test"}


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("github").reset()


def begin(server: StandIn, scope: str = "read:user user:email") -> Any:
    form = {"client_id": CLIENT_ID, "scope": scope}
    answer = ask(server, "POST", CODE, form=form, headers=JSON)
    assert answer.status == 200
    return answer.json


def poll(server: StandIn, device_code: str, **other: str) -> Any:
    form = {"client_id": CLIENT_ID, "device_code": device_code, "grant_type": DEVICE, **other}
    answer = ask(server, "POST", TOKEN, form=form, headers=JSON)
    assert answer.status == 200
    return answer.json


def log_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> Any:
    begun = begin(server)
    server.approve(begun["user_code"], *who)
    return poll(server, begun["device_code"])


def renew(server: StandIn, token: str) -> Any:
    form = {"client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_token": token}
    return ask(server, "POST", TOKEN, form=form, headers=JSON).json


def who_am_i(server: StandIn, token: str) -> Answer:
    return ask(server, "GET", f"{API}/user", headers={**AGENT, **bearer(token)})


def revoke(server: StandIn, *credentials: str, **more: str) -> Answer:
    document = {"credentials": list(credentials)}
    url = f"{API}/credentials/revoke"
    return ask(server, "POST", url, document=document, headers={**AGENT, **more})


def by_application(server: StandIn, method: str, what: str, token: str) -> Answer:
    headers = {**AGENT, **basic(CLIENT_ID, CLIENT_SECRET)}
    return ask(server, method, f"{APP}/{what}", document={"access_token": token}, headers=headers)


def test_the_codes(server: StandIn) -> None:
    begun = begin(server)
    assert set(begun) == {
        *("device_code", "user_code", "verification_uri", "expires_in", "interval")
    }
    assert begun["verification_uri"] == "https://github.com/login/device"
    assert (begun["interval"], begun["expires_in"]) == (5, 900)
    assert len(begun["device_code"]) == 40
    assert begun["user_code"][4] == "-"


def test_a_form_is_answered_where_json_was_not_asked_for(server: StandIn) -> None:
    begun = ask(server, "POST", CODE, form={"client_id": CLIENT_ID})
    assert begun.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert begun.form["verification_uri"] == "https://github.com/login/device"
    form = {"client_id": CLIENT_ID, "device_code": begun.form["device_code"], "grant_type": DEVICE}
    pending = ask(server, "POST", TOKEN, form=form)
    assert (pending.status, pending.form["error"]) == (200, "authorization_pending")


def test_no_codes(server: StandIn) -> None:
    refused = ask(server, "POST", CODE, form={"client_id": "other"}, headers=JSON)
    assert (refused.status, refused.json) == (404, {"error": "Not Found"})
    assert ask(server, "GET", CODE).status == 405
    server.settings(device_flow=False)
    refused = ask(server, "POST", CODE, form={"client_id": CLIENT_ID}, headers=JSON)
    assert (refused.status, refused.json["error"]) == (400, "device_flow_disabled")


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_logging_in(server: StandIn, who: tuple[str, str]) -> None:
    tokens = log_in(server, who)
    assert set(tokens) == {"access_token", "token_type", "scope"}
    assert tokens["access_token"].startswith("gho_")
    assert tokens["scope"] == "read:user,user:email"
    me = who_am_i(server, tokens["access_token"])
    assert (me.status, me.json["email"], me.json["type"]) == (200, who[0], "User")
    assert me.headers["x-oauth-scopes"] == "read:user, user:email"
    (session,) = server.sessions()
    assert server.journal("/user")[0]["session"] == session["id"]
    server.settings(clock_offset=10 * 365 * 86400)
    assert server.check(jwt=tokens["access_token"])


def test_each_state_of_a_code(server: StandIn) -> None:
    begun = begin(server)
    code = begun["device_code"]
    assert poll(server, code)["error"] == "authorization_pending"
    slow = poll(server, code)
    assert (slow["error"], slow["interval"]) == ("slow_down", 10)
    server.settings(clock_offset=6)
    assert poll(server, code)["interval"] == 15
    server.settings(clock_offset=30)
    assert poll(server, code, grant_type="password")["error"] == "unsupported_grant_type"
    assert poll(server, code, client_id="other")["error"] == "incorrect_client_credentials"
    assert poll(server, code, client_secret="x")["error"] == "incorrect_client_credentials"
    assert poll(server, "nonsense")["error"] == "incorrect_device_code"
    with pytest.raises(ValueError, match="wrong password"):
        server.approve(begun["user_code"], password="wrong")
    server.approve(begun["user_code"])
    assert "access_token" in poll(server, code)
    assert poll(server, code)["error"] == "incorrect_device_code"
    denied, expired = begin(server), begin(server)
    server.approve(denied["user_code"], deny=True)
    assert poll(server, denied["device_code"])["error"] == "access_denied"
    with pytest.raises(ValueError, match="no open code"):
        server.approve(denied["user_code"])
    server.settings(clock_offset=1000)
    assert poll(server, expired["device_code"])["error"] == "expired_token"
    server.settings(device_flow=False, clock_offset=0)
    assert poll(server, expired["device_code"])["error"] == "device_flow_disabled"


def test_renewal_rotates_both_tokens(server: StandIn) -> None:
    server.settings(app="github_app")
    tokens = log_in(server)
    assert tokens["access_token"].startswith("ghu_")
    assert (tokens["expires_in"], tokens["refresh_token_expires_in"]) == (28800, 15897600)
    assert tokens["scope"] == ""
    renewed = renew(server, tokens["refresh_token"])
    assert renewed["refresh_token"].startswith("ghr_")
    assert who_am_i(server, tokens["access_token"]).status == 401
    assert who_am_i(server, renewed["access_token"]).status == 200
    assert renew(server, tokens["refresh_token"])["error"] == "bad_refresh_token"
    server.settings(clock_offset=28801)
    assert who_am_i(server, renewed["access_token"]).status == 401
    assert server.check(refresh_token=renewed["refresh_token"])
    server.settings(clock_offset=15897601)
    assert renew(server, renewed["refresh_token"])["error"] == "bad_refresh_token"
    server.settings(clock_offset=0, expiring_tokens=False)
    assert "refresh_token" not in log_in(server)


def test_who_am_i_refuses(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    bad = who_am_i(server, "gho_nonsense")
    assert (bad.status, bad.json["message"]) == (401, "Bad credentials")
    none = ask(server, "GET", f"{API}/user", headers=AGENT)
    assert (none.status, none.json["message"]) == (401, "Requires authentication")
    assert ask(server, "GET", f"{API}/user", headers=bearer(token)).status == 403
    old = {**AGENT, **bearer(token), "X-GitHub-Api-Version": "1999-01-01"}
    assert ask(server, "GET", f"{API}/user", headers=old).status == 400
    older = {**AGENT, "Authorization": f"token {token}"}
    assert ask(server, "GET", f"{API}/user", headers=older).status == 200


def test_revoking_without_a_secret(server: StandIn) -> None:
    server.settings(app="github_app", revocation_delay=2)
    tokens, other = log_in(server), log_in(server, StandIn.NON_ASCII)
    both = (tokens["access_token"], tokens["refresh_token"])
    assert revoke(server, *both, **bearer(both[0])).status == 403
    assert who_am_i(server, both[0]).status == 200
    assert revoke(server, *both).status == 202
    assert who_am_i(server, both[0]).status == 200
    server.settings(clock_offset=3)
    assert who_am_i(server, both[0]).status == 401
    assert renew(server, both[1])["error"] == "bad_refresh_token"
    assert who_am_i(server, other["access_token"]).status == 200
    assert [one["alive"] for one in server.sessions()] == [False, True]
    assert revoke(server, "gho_unknown").status == 202


def test_revoking_one_of_two_leaves_the_other(server: StandIn) -> None:
    server.settings(app="github_app")
    tokens = log_in(server)
    assert revoke(server, tokens["access_token"]).status == 202
    assert who_am_i(server, tokens["access_token"]).status == 401
    assert server.sessions()[0]["alive"]
    renewed = renew(server, tokens["refresh_token"])
    assert who_am_i(server, renewed["access_token"]).status == 200


def test_what_cannot_be_revoked(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    assert revoke(server).status == 422
    assert revoke(server, token, "nonsense").status == 422
    url = f"{API}/credentials/revoke"
    form = ask(server, "POST", url, form={"credentials": token}, headers=AGENT)
    assert form.status == 422
    server.settings(revokes_app_tokens=False)
    assert revoke(server, token).status == 422
    server.settings(revokes_app_tokens=True, revocations_per_hour=4)
    limited = revoke(server, token)
    assert (limited.status, limited.headers["x-ratelimit-remaining"]) == (403, "0")
    assert who_am_i(server, token).status == 200


def test_revoking_by_the_application(server: StandIn) -> None:
    one, two, three = (log_in(server)["access_token"] for _ in range(3))
    other = log_in(server, StandIn.NON_ASCII)["access_token"]
    assert by_application(server, "POST", "token", one).status == 200
    assert by_application(server, "DELETE", "token", one).status == 204
    assert by_application(server, "DELETE", "token", one).status == 404
    assert (who_am_i(server, one).status, who_am_i(server, two).status) == (401, 200)
    assert by_application(server, "DELETE", "grant", one).status == 422
    assert by_application(server, "DELETE", "grant", two).status == 204
    assert who_am_i(server, three).status == 401
    assert who_am_i(server, other).status == 200
    document = {"access_token": other}
    wrong = {**AGENT, **basic(CLIENT_ID, "wrong")}
    assert ask(server, "DELETE", f"{APP}/token", document=document, headers=wrong).status == 401
    coded = basic(CLIENT_ID, CLIENT_SECRET)["Authorization"].partition(" ")[2]
    own = {**AGENT, **bearer(coded)}
    assert ask(server, "DELETE", f"{APP}/token", document=document, headers=own).status == 401
    own = {**AGENT, **bearer(other)}
    assert ask(server, "DELETE", f"{APP}/token", document=document, headers=own).status == 401
    headers = {**AGENT, **basic(CLIENT_ID, CLIENT_SECRET)}
    assert ask(server, "DELETE", f"{APP}/token", document={}, headers=headers).status == 422
    assert [one["alive"] for one in server.sessions()] == [False, False, False, True]


@pytest.mark.parametrize("what", ["revoke", "token", "grant"])
def test_a_spoilt_answer_revokes_nothing(server: StandIn, what: str) -> None:
    token = log_in(server)["access_token"]
    app = f"/applications/{CLIENT_ID}"
    path = "/credentials/revoke" if what == "revoke" else f"{app}/{what}"
    server.fault(path, "with_status", code=503, times=1)
    spoilt = revoke(server, token) if what == "revoke" else None
    spoilt = spoilt or by_application(server, "DELETE", what, token)
    assert spoilt.status == 503
    assert who_am_i(server, token).status == 200


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_state_outlives_the_process(server: StandIn, how: str) -> None:
    server.settings(app="github_app")
    tokens, begun = log_in(server), begin(server)
    getattr(server, how)()
    server.start()
    assert who_am_i(server, tokens["access_token"]).status == 200
    assert "access_token" in renew(server, tokens["refresh_token"])
    server.approve(begun["user_code"])
    assert "access_token" in poll(server, begun["device_code"])
    server.end_session(server.sessions()[0]["id"])
    assert not server.sessions()[0]["alive"]
