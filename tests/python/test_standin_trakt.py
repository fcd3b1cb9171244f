"""The stand-in for Trakt: does it do what docs.trakt.tv says?"""

from __future__ import annotations

from typing import Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.grants.client import ask
from tests.servers.trakt.client import API, codes, get, log_in, poll, post, renew, revoke

BOTH = pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
DAY = 24 * 3600


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("trakt").reset()


# The way in


@BOTH
def test_a_device_login(server: StandIn, who: tuple[str, str]) -> None:
    found = codes(server)
    assert set(found) == {
        *("device_code", "user_code", "verification_url", "expires_in", "interval")
    }
    assert (len(found["device_code"]), len(found["user_code"])) == (64, 8)
    assert found["verification_url"] == "https://trakt.tv/activate"
    assert (found["expires_in"], found["interval"]) == (600, 5)
    assert poll(server, found["device_code"]).status == 400
    server.approve(found["user_code"].lower(), *who)
    server.settings(clock_offset=6)
    tokens = poll(server, found["device_code"]).json
    assert set(tokens) == {
        *("access_token", "token_type", "expires_in", "refresh_token", "scope", "created_at")
    }
    assert (tokens["token_type"], tokens["expires_in"]) == ("bearer", 7 * DAY)
    told = get(server, tokens["access_token"]).json
    known = next(user for user in server.users() if user["email"] == who[0])
    assert told["user"]["name"] == known["name"]
    assert told["user"]["username"] == who[0].partition("@")[0]
    profile = get(server, tokens["access_token"], "/users/me")
    assert (profile.status, profile.json["username"]) == (200, told["user"]["username"])
    assert "email" not in str(told)


def test_a_poll_is_answered_by_its_status_alone(server: StandIn) -> None:
    server.settings(device_interval=0)
    code = codes(server)["device_code"]
    assert (poll(server, code).status, poll(server, code).text) == (400, "")
    assert poll(server, "0" * 64).status == 404
    server.settings(clock_offset=601)
    assert poll(server, code).status == 410
    server.settings(clock_offset=0)

    denied = codes(server)
    server.approve(denied["user_code"], deny=True)
    assert poll(server, denied["device_code"]).status == 418
    taken = codes(server)
    server.approve(taken["user_code"])
    assert [poll(server, taken["device_code"]).status for _ in range(2)] == [200, 409]
    assert len(server.sessions()) == 1


def test_haste_is_told_to_slow_down(server: StandIn) -> None:
    code = codes(server)["device_code"]
    assert [poll(server, code).status for _ in range(2)] == [400, 429]
    server.settings(clock_offset=6)
    assert poll(server, code).status == 400
    server.settings(device_interval=0, slow_down_times=2)
    code = codes(server)["device_code"]
    assert [poll(server, code).status for _ in range(3)] == [429, 429, 400]


def test_a_wrong_client_gets_nothing(server: StandIn) -> None:
    assert post(server, "/oauth/device/code", {"client_id": "somebody"}).status == 403
    found = codes(server)
    server.approve(found["user_code"])
    assert poll(server, found["device_code"], client_secret="wrong").status == 403
    assert server.sessions() == []


def test_the_user_needs_the_right_code_and_password(server: StandIn) -> None:
    found = codes(server)
    for code, password in (("00000000", "correct horse"), (found["user_code"], "wrong")):
        with pytest.raises(ValueError, match=r"wrong|no device"):
            server.approve(code, server.VIEWER[0], password)
    assert poll(server, found["device_code"]).status == 400


# Headers


def test_what_every_request_needs(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    assert get(server, token).status == 200
    blocked = get(server, token, user_agent="")
    assert (blocked.status, blocked.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert get(server, token, content_type="").status == 412
    assert get(server, token, trakt_api_key="somebody").status == 403
    assert get(server, token, trakt_api_key="").status == 403
    assert get(server, token, trakt_api_version="").status == 400
    assert get(server).status == 401
    assert get(server, "nonsense").status == 401
    form = ask(server, "POST", f"{API}/oauth/device/code", form=dict(server.parameters))
    assert form.status == 412
    assert ask(server, "GET", f"{API}/oauth/device/code").status == 405
    assert get(server, token, "/users/nobody/here").status == 405
    assert get(server, token, "//users/settings").status == 200, "slashes are merged"


def test_a_locked_account_is_no_dead_token(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    server.settings(account_locked=True)
    answer = get(server, token)
    assert (answer.status, answer.headers["x-account-locked"]) == (423, "true")
    assert server.check(jwt=token)


# Renewal


def test_a_renewal_takes_the_refresh_token_once(server: StandIn) -> None:
    first = log_in(server)
    second = renew(server, first["refresh_token"]).json
    assert second["refresh_token"] != first["refresh_token"]
    assert get(server, second["access_token"]).status == 200
    assert get(server, first["access_token"]).status == 401
    again = renew(server, first["refresh_token"])
    assert (again.status, again.json) == (
        400,
        {"error": "invalid_grant", "error_description": "session not found"},
    )
    assert get(server, second["access_token"]).status == 200, "nothing else comes of it"
    assert [one["renewals"] for one in server.sessions()] == [1]


def test_what_a_renewal_needs(server: StandIn) -> None:
    token = log_in(server)["refresh_token"]
    for changed, error in (
        ({"grant_type": "nonsense"}, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ):
        refused = renew(server, token, **changed)
        assert (refused.status, refused.json["error"]) == (400, error)
    bare = post(server, "/oauth/token", {"refresh_token": token, **server.parameters})
    assert (bare.status, bare.json["error"]) == (400, "invalid_request")
    without = {"refresh_token": token, "grant_type": "refresh_token", **server.parameters}
    assert post(server, "/oauth/token", without).json["error"] == "invalid_grant"
    assert server.check(refresh_token=token)


def test_tokens_expire(server: StandIn) -> None:
    tokens = log_in(server)
    server.settings(clock_offset=7 * DAY + 1)
    assert get(server, tokens["access_token"]).status == 401
    assert renew(server, tokens["refresh_token"]).status == 200


def test_a_renewal_was_refused_otherwise_before(server: StandIn) -> None:
    server.settings(generation="2025", access_lifetime=DAY)
    tokens = log_in(server)
    assert tokens["expires_in"] == DAY
    refused = renew(server, "nonsense")
    assert (refused.status, refused.json["error"]) == (401, "invalid_grant")


# The way out


def test_a_revocation_ends_both_tokens_of_one_session(server: StandIn) -> None:
    mine, other = log_in(server), log_in(server)
    answer = revoke(server, mine["access_token"])
    assert (answer.status, answer.json) == (200, {})
    assert get(server, mine["access_token"]).status == 401
    assert renew(server, mine["refresh_token"]).json["error"] == "invalid_grant"
    assert get(server, other["access_token"]).status == 200
    assert [(one["alive"], one["ended_by"]) for one in server.sessions()] == [
        (False, "revoked"),
        (True, ""),
    ]


def test_200_says_nothing_about_a_revocation(server: StandIn) -> None:
    tokens = log_in(server)
    for token, changed in (
        ("nonsense", {}),
        (tokens["refresh_token"], {}),
        (tokens["access_token"], {"client_secret": "wrong"}),
        (tokens["access_token"], {"client_id": "somebody"}),
    ):
        answer = revoke(server, token, **changed)
        assert (answer.status, answer.json) == (200, {})
    bare = post(server, "/oauth/revoke", {"token": tokens["access_token"]})
    assert (bare.status, bare.json) == (200, {})
    assert get(server, tokens["access_token"]).status == 200
    server.settings(clock_offset=8 * DAY)
    server.settings(revocation_says_nothing=True)
    answer = revoke(server, tokens["access_token"])
    assert (answer.status, answer.text) == (200, "")
    assert server.check(refresh_token=tokens["refresh_token"]), "an expired one ends nothing"


def test_a_fault_ends_nothing_at_a_revocation(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    server.fault("/oauth/revoke", "with_status", times=1, code=503)
    assert revoke(server, token).status == 503
    assert server.check(jwt=token)
    server.fault("/oauth/revoke", "ended_but_reset", times=1)
    with pytest.raises(OSError):  # noqa: PT011 (whichever the system makes of it)
        revoke(server, token)
    assert not server.check(jwt=token)


def test_a_user_disconnects_the_application(server: StandIn) -> None:
    tokens = log_in(server)
    server.end_session(server.sessions()[0]["id"])
    assert get(server, tokens["access_token"]).status == 401
    assert renew(server, tokens["refresh_token"]).status == 400


# What stays


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_state_outlives_the_process(server: StandIn, end: str) -> None:
    tokens, waiting = log_in(server), codes(server)
    ended = log_in(server, StandIn.NON_ASCII)
    revoke(server, ended["access_token"])
    if end == "kill":
        server.kill()
        server.start()
    else:
        server.restart()
    assert get(server, tokens["access_token"]).status == 200
    assert get(server, ended["access_token"]).status == 401
    server.approve(waiting["user_code"])
    assert poll(server, waiting["device_code"]).status == 200
    assert renew(server, tokens["refresh_token"]).status == 200


def test_the_journal_knows_whose_request_it_was(server: StandIn) -> None:
    first, second = log_in(server), log_in(server, StandIn.NON_ASCII)
    server.clear_journal()
    get(server, first["access_token"])
    renew(server, second["refresh_token"])
    revoke(server, first["access_token"])
    get(server)
    ids = [one["id"] for one in server.sessions()]
    assert [one["session"] for one in server.journal()] == [ids[0], ids[1], ids[0], None]
