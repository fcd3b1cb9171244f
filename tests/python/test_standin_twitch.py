"""The stand-in for Twitch: does it do what dev.twitch.tv says, and what its issues found?"""

from __future__ import annotations

import urllib.parse
from typing import Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.grants.client import ask
from tests.servers.twitch.client import (
    ID,
    OTHER_CLIENT,
    SCOPES,
    USERS,
    codes,
    log_in,
    poll,
    post,
    refusal,
    renew,
    users,
    validate,
)

BOTH = pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
DAY = 24 * 3600


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("twitch").reset()


# The way in


@BOTH
def test_a_device_login(server: StandIn, who: tuple[str, str]) -> None:
    found = codes(server)
    assert set(found) == {
        *("device_code", "user_code", "verification_uri", "expires_in", "interval")
    }
    assert found["verification_uri"] == (
        f"https://www.twitch.tv/activate?public=true&device-code={found['user_code']}"
    )
    assert (len(found["device_code"]), len(found["user_code"])) == (40, 8)
    assert (found["expires_in"], found["interval"]) == (1800, 5)
    pending = poll(server, found["device_code"])
    assert pending.json == {"status": 400, "message": "authorization_pending"}
    server.approve(found["user_code"], *who)
    tokens = poll(server, found["device_code"]).json
    assert set(tokens) == {"access_token", "expires_in", "refresh_token", "scope", "token_type"}
    assert tokens["scope"] == ["user:read:email", "user:read:follows"]
    assert (tokens["expires_in"], tokens["token_type"]) == (14124, "bearer")
    (user,) = users(server, tokens["access_token"]).json["data"]
    known = next(user for user in server.users() if user["email"] == who[0])
    shown = {name: user[name] for name in ("id", "display_name", "email")}
    assert shown == {"id": known["id"], "display_name": known["name"], "email": who[0]}


def test_without_scopes(server: StandIn) -> None:
    tokens = log_in(server, scopes="")
    assert "scope" not in tokens
    assert validate(server, tokens["access_token"]).json["scopes"] is None
    assert "email" not in users(server, tokens["access_token"]).json["data"][0]


def test_each_state_of_a_poll(server: StandIn) -> None:
    code = codes(server)["device_code"]
    asked = [refusal(poll(server, code)) for _ in range(2)]
    assert asked == [(400, "authorization_pending")] * 2, "haste is not noticed"
    denied = codes(server)
    server.approve(denied["user_code"], deny=True)
    assert refusal(poll(server, denied["device_code"])) == (400, "authorization_pending")
    server.settings(denied_word="access_denied")
    assert refusal(poll(server, denied["device_code"])) == (400, "access_denied")
    taken = codes(server)
    server.approve(taken["user_code"])
    assert poll(server, taken["device_code"]).status == 200
    assert refusal(poll(server, taken["device_code"])) == (400, "invalid device code")
    assert refusal(poll(server, "nonsense")) == (400, "invalid device code")
    stolen = codes(server)["device_code"]
    other = poll(server, stolen, client_id=OTHER_CLIENT)
    assert refusal(other) == (400, "invalid device code")
    server.settings(clock_offset=1801)
    assert refusal(poll(server, code)) == (400, "invalid device code")
    server.settings(clock_offset=0, slow_down_times=1)
    code = codes(server)["device_code"]
    assert refusal(poll(server, code)) == (400, "slow_down")


def test_a_poll_brings_its_scopes_again(server: StandIn) -> None:
    found = codes(server)
    server.approve(found["user_code"])
    for scopes in ("", "user:read:email", f"{SCOPES} chat:read"):
        refused = poll(server, found["device_code"], scopes=scopes)
        assert refusal(refused) == (400, "invalid device code"), scopes
    turned = " ".join(reversed(SCOPES.split()))
    assert poll(server, found["device_code"], scopes=turned).status == 200
    server.settings(wants_scopes=False)
    again = codes(server)
    server.approve(again["user_code"])
    assert poll(server, again["device_code"], scopes="").status == 200


def test_which_client(server: StandIn) -> None:
    assert refusal(post(server, "/device", client_id="nobody")) == (400, "invalid client")
    assert refusal(post(server, "/device", client_id="")) == (400, "missing client id")
    assert refusal(poll(server, "x", client_id="nobody")) == (400, "invalid client")
    assert refusal(post(server, "/token")) == (400, "missing grant type")
    assert ask(server, "GET", f"{ID}/token").status == 405
    body = dict(server.parameters)
    json = ask(server, "POST", f"{ID}/device", body=body)
    assert refusal(json) == (400, "missing client id"), "JSON is not read"
    query = urllib.parse.urlencode(body)
    assert ask(server, "POST", f"{ID}/device?{query}").status == 200


# Who it is


def test_validation(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    told = validate(server, token).json
    known = next(user for user in server.users() if user["email"] == server.VIEWER[0])
    assert 14100 < told.pop("expires_in") <= 14124
    assert told == {
        "client_id": server.parameters["client_id"],
        "login": "viewer",
        "scopes": ["user:read:email"],
        "user_id": known["id"],
    }
    assert validate(server, token, "Bearer").status == 200
    assert refusal(validate(server, "nonsense")) == (401, "invalid access token")
    bare = ask(server, "GET", f"{ID}/validate")
    assert refusal(bare) == (401, "missing authorization token")


def test_what_helix_needs(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    assert refusal(users(server, "nonsense")) == (401, "Invalid OAuth token")
    assert refusal(users(server, token, "")) == (401, "Client ID is missing")
    mismatch = (401, "Client ID and OAuth token do not match")
    assert refusal(users(server, token, OTHER_CLIENT)) == mismatch
    by_oauth = ask(server, "GET", USERS, authorization=f"OAuth {token}", client_id="x")
    assert refusal(by_oauth) == (401, "OAuth token is missing")
    server.settings(clock_offset=14125)
    assert refusal(users(server, token)) == (401, "Invalid OAuth token")


# Renewal


def test_a_renewal_takes_the_tokens_before_it(server: StandIn) -> None:
    first = log_in(server)
    second = renew(server, first["refresh_token"]).json
    assert second["scope"] == ["user:read:email"]
    assert validate(server, first["access_token"]).status == 401
    assert validate(server, second["access_token"]).status == 200
    server.settings(clock_offset=20 * DAY)
    third = renew(server, second["refresh_token"])
    assert third.status == 200
    server.settings(clock_offset=51 * DAY)
    refused = renew(server, third.json["refresh_token"])
    assert refused.json == {
        "error": "Bad Request",
        "status": 400,
        "message": "Invalid refresh token",
    }


def test_a_used_refresh_token_ends_everything(server: StandIn) -> None:
    first, on_another_device = log_in(server), log_in(server)
    somebody = log_in(server, StandIn.NON_ASCII)
    second = renew(server, first["refresh_token"]).json
    assert refusal(renew(server, first["refresh_token"])) == (400, "Invalid refresh token")
    for token in (second["access_token"], on_another_device["access_token"]):
        assert validate(server, token).status == 401
    assert renew(server, second["refresh_token"]).status == 400
    assert validate(server, somebody["access_token"]).status == 200
    ended = [one["ended_by"] for one in server.sessions()]
    assert ended == ["reuse", "reuse", ""]


def test_a_refresh_token_is_its_clients_own(server: StandIn) -> None:
    tokens = log_in(server)
    assert renew(server, tokens["refresh_token"], client_id=OTHER_CLIENT).status == 400
    assert renew(server, "").json["message"] == "missing refresh token"
    assert server.check(refresh_token=tokens["refresh_token"])


def test_a_confidential_client_needs_its_secret(server: StandIn) -> None:
    server.settings(client_type="confidential")
    tokens = log_in(server)
    assert refusal(renew(server, tokens["refresh_token"])) == (400, "missing client secret")
    wrong = renew(server, tokens["refresh_token"], client_secret="wrong")
    assert refusal(wrong) == (403, "invalid client secret")
    assert server.check(refresh_token=tokens["refresh_token"])
    right = renew(server, tokens["refresh_token"], client_secret="41vpdji4e9gif29md0ouet6fktd2")
    assert right.status == 200


def test_a_user_who_disconnected(server: StandIn) -> None:
    tokens = log_in(server)
    server.end_session(server.sessions()[0]["id"])
    assert validate(server, tokens["access_token"]).status == 401
    refused = renew(server, tokens["refresh_token"])
    assert (refused.status, refused.json["error"]) == (401, "Unauthorized")


# The way out


def test_a_revocation_leaves_the_refresh_token(server: StandIn) -> None:
    mine, other = log_in(server), log_in(server)
    answer = post(server, "/revoke", token=mine["access_token"])
    assert (answer.status, answer.text) == (200, "")
    assert validate(server, mine["access_token"]).status == 401
    assert validate(server, other["access_token"]).status == 200
    assert server.check(refresh_token=mine["refresh_token"])
    assert server.sessions()[0]["alive"]
    again = renew(server, mine["refresh_token"])
    assert validate(server, again.json["access_token"]).status == 200


def test_a_revocation_that_is_refused(server: StandIn) -> None:
    tokens = log_in(server)
    token = tokens["access_token"]
    for form, expected in (
        ({"token": "nonsense"}, (400, "Invalid token")),
        ({"token": tokens["refresh_token"]}, (400, "Invalid token")),
        ({"token": token, "client_id": OTHER_CLIENT}, (400, "Invalid token")),
        ({"token": token, "client_id": "nobody"}, (404, "client does not exist")),
        ({"token": token, "client_id": ""}, (400, "missing client id")),
        ({}, (400, "missing oauth token")),
    ):
        assert refusal(post(server, "/revoke", **form)) == expected, form
    assert server.check(jwt=token)
    assert post(server, "/revoke", token=token).status == 200
    assert refusal(post(server, "/revoke", token=token)) == (400, "Invalid token")


def test_a_fault_ends_nothing_at_a_revocation(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    server.fault("/oauth2/revoke", "with_status", times=1, code=502)
    assert post(server, "/revoke", token=token).status == 502
    assert server.check(jwt=token)
    assert post(server, "/revoke", token=token).status == 200
    assert not server.check(jwt=token)


# What stays


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_state_outlives_the_process(server: StandIn, end: str) -> None:
    tokens, waiting = log_in(server), codes(server)
    ended = log_in(server, StandIn.NON_ASCII)
    post(server, "/revoke", token=ended["access_token"])
    if end == "kill":
        server.kill()
        server.start()
    else:
        server.restart()
    assert validate(server, tokens["access_token"]).status == 200
    assert validate(server, ended["access_token"]).status == 401
    server.approve(waiting["user_code"])
    assert poll(server, waiting["device_code"]).status == 200


def test_the_journal_knows_whose_request_it_was(server: StandIn) -> None:
    first, second = log_in(server), log_in(server, StandIn.NON_ASCII)
    server.clear_journal()
    users(server, first["access_token"])
    renew(server, second["refresh_token"])
    post(server, "/revoke", token=first["access_token"])
    ids = [one["id"] for one in server.sessions()]
    assert [one["session"] for one in server.journal()] == [ids[0], ids[1], ids[0]]
