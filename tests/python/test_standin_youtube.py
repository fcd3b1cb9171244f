"""The stand-in for Google's device login and YouTube's channels: does it do what they document?"""

from __future__ import annotations

from typing import Callable

import pytest

from tests.servers.fixture import StandIn
from tests.servers.grants.client import ask
from tests.servers.youtube.client import (
    CHANNELS,
    GRANT,
    OAUTH,
    SCOPE,
    codes,
    get,
    log_in,
    poll,
    post,
    refusal,
    renew,
)

BOTH = pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
DAY = 24 * 3600


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("youtube").reset()


# The way in


@BOTH
def test_a_device_login(server: StandIn, who: tuple[str, str]) -> None:
    found = codes(server)
    assert set(found) == {
        *("device_code", "user_code", "verification_url", "expires_in", "interval")
    }
    assert found["verification_url"] == "https://www.google.com/device"
    assert (found["expires_in"], found["interval"]) == (1800, 5)
    pending = poll(server, found["device_code"])
    assert (pending.status, pending.json) == (
        428,
        {"error": "authorization_pending", "error_description": "Precondition Required"},
    )
    server.approve(found["user_code"], *who)
    server.settings(clock_offset=6)
    tokens = poll(server, found["device_code"]).json
    assert set(tokens) == {"access_token", "expires_in", "refresh_token", "scope", "token_type"}
    assert (tokens["expires_in"], tokens["scope"], tokens["token_type"]) == (3599, SCOPE, "Bearer")
    assert tokens["access_token"].startswith("ya29.")
    assert tokens["refresh_token"].startswith("1//")
    (channel,) = get(server, tokens["access_token"]).json["items"]
    known = next(user for user in server.users() if user["email"] == who[0])
    assert channel["snippet"]["title"] == known["name"]
    assert channel["id"].startswith("UC")


def test_each_state_of_a_poll(server: StandIn) -> None:
    hasty = codes(server)["device_code"]
    assert [refusal(poll(server, hasty)) for _ in range(2)] == [
        (428, "authorization_pending"),
        (403, "slow_down"),
    ]
    server.settings(device_interval=0)
    denied = codes(server)
    server.approve(denied["user_code"], deny=True)
    assert refusal(poll(server, denied["device_code"])) == (403, "access_denied")
    taken = codes(server)
    server.approve(taken["user_code"])
    assert poll(server, taken["device_code"]).status == 200
    assert refusal(poll(server, taken["device_code"])) == (400, "invalid_grant")
    assert refusal(poll(server, "nonsense")) == (400, "invalid_grant")
    late = codes(server)["device_code"]
    server.settings(clock_offset=1801)
    assert refusal(poll(server, late)) == (400, "invalid_grant")
    server.settings(expired_code="expired_token")
    assert refusal(poll(server, late)) == (400, "expired_token")


def test_who_may_ask_for_what(server: StandIn) -> None:
    client_id = server.parameters["client_id"]
    web = "407408718192-web.apps.googleusercontent.com"
    for form, expected in (
        ({"client_id": "nobody", "scope": SCOPE}, (401, "invalid_client")),
        ({"client_id": web, "scope": SCOPE}, (401, "invalid_client")),
        ({"scope": SCOPE}, (400, "invalid_request")),
        ({"client_id": client_id}, (400, "invalid_request")),
        ({"client_id": client_id, "scope": f"{SCOPE}.force-ssl"}, (400, "invalid_scope")),
    ):
        assert refusal(post(server, "/device/code", form)) == expected, form
    server.settings(codes_exceeded=True)
    form = {"client_id": client_id, "scope": SCOPE}
    exceeded = post(server, "/device/code", form)
    assert (exceeded.status, exceeded.json) == (403, {"error_code": "rate_limit_exceeded"})


def test_what_a_poll_needs(server: StandIn) -> None:
    found = codes(server)
    server.approve(found["user_code"])
    code = found["device_code"]
    for changed, expected in (
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_secret": ""}, (400, "invalid_request")),
        ({"client_id": "nobody"}, (401, "invalid_client")),
        ({"grant_type": ""}, (400, "invalid_request")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
    ):
        assert refusal(poll(server, code, **changed)) == expected, changed
    plain = ask(server, "POST", f"{OAUTH}/token", content_type="text/plain")
    assert refusal(plain) == (400, "invalid_request")
    assert ask(server, "GET", f"{OAUTH}/token").status == 405
    body = {"device_code": code, "grant_type": GRANT, **server.parameters}
    assert ask(server, "POST", f"{OAUTH}/token", body=body).status == 200, "JSON will do"


# Renewal


def test_the_refresh_token_stays(server: StandIn) -> None:
    first = log_in(server)
    second = renew(server, first["refresh_token"])
    assert second.status == 200
    assert set(second.json) == {"access_token", "expires_in", "scope", "token_type"}
    assert get(server, first["access_token"]).status == 200
    assert get(server, second.json["access_token"]).status == 200
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    without = {**form, "client_id": server.parameters["client_id"]}
    assert post(server, "/token", without).status == 200, "the secret is optional here"
    assert refusal(renew(server, "nonsense")) == (400, "invalid_grant")
    assert refusal(renew(server, first["refresh_token"], client_secret="no"))[0] == 401


def test_tokens_expire(server: StandIn) -> None:
    tokens = log_in(server)
    server.settings(clock_offset=3600)
    dead = get(server, tokens["access_token"])
    assert dead.status == 401
    assert dead.json["error"]["status"] == "UNAUTHENTICATED"
    assert dead.json["error"]["errors"][0]["reason"] == "authError"
    assert renew(server, tokens["refresh_token"]).status == 200
    server.settings(clock_offset=0, refresh_lifetime=7 * DAY)
    testing = log_in(server)
    server.settings(clock_offset=8 * DAY)
    answer = renew(server, testing["refresh_token"])
    assert answer.json == {
        "error": "invalid_grant",
        "error_description": "Token has been expired or revoked.",
    }


def test_the_oldest_token_goes_without_a_word(server: StandIn) -> None:
    server.settings(most_refresh_tokens=2)
    tokens = [log_in(server)["refresh_token"] for _ in range(3)]
    other = log_in(server, StandIn.NON_ASCII)["refresh_token"]
    assert [server.check(refresh_token=one) for one in tokens] == [False, True, True]
    assert server.check(refresh_token=other)


# The way out


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("where", ["query", "form"])
def test_a_revocation_ends_every_device_of_the_account(
    server: StandIn, kind: str, where: str
) -> None:
    mine, on_another_device = log_in(server), log_in(server)
    somebody = log_in(server, StandIn.NON_ASCII)
    if where == "query":
        url = f"{OAUTH}/revoke?token={mine[kind].replace('/', '%2F')}"
        answer = ask(server, "POST", url, content_type="application/x-www-form-urlencoded")
    else:
        answer = post(server, "/revoke", {"token": mine[kind]})
    assert (answer.status, answer.json) == (200, {})
    for tokens in (mine, on_another_device):
        assert get(server, tokens["access_token"]).status == 401
        assert refusal(renew(server, tokens["refresh_token"])) == (400, "invalid_grant")
    assert get(server, somebody["access_token"]).status == 200
    assert [one["alive"] for one in server.sessions()] == [False, False, True]


def test_a_revocation_that_is_refused(server: StandIn) -> None:
    tokens = log_in(server)
    dead = {"error": "invalid_token", "error_description": "Token expired or revoked"}
    assert post(server, "/revoke", {"token": "nonsense"}).json == dead
    assert refusal(post(server, "/revoke", {})) == (400, "invalid_request")
    by_get = ask(server, "GET", f"{OAUTH}/revoke?token={tokens['access_token']}")
    assert (by_get.status, by_get.text[:15]) == (404, "<!DOCTYPE html>")
    server.settings(clock_offset=3600)
    expired = post(server, "/revoke", {"token": tokens["access_token"]})
    assert (expired.status, expired.json) == (400, dead)
    assert server.check(refresh_token=tokens["refresh_token"])
    assert post(server, "/revoke", {"token": tokens["refresh_token"]}).status == 200
    again = post(server, "/revoke", {"token": tokens["refresh_token"]})
    assert (again.status, again.json) == (400, dead)


def test_it_may_take_some_time_to_have_full_effect(server: StandIn) -> None:
    tokens = log_in(server)
    server.settings(revocation_delay=60)
    assert post(server, "/revoke", {"token": tokens["refresh_token"]}).status == 200
    assert get(server, tokens["access_token"]).status == 200
    assert refusal(renew(server, tokens["refresh_token"])) == (400, "invalid_grant")
    server.settings(clock_offset=61)
    assert get(server, tokens["access_token"]).status == 401


def test_a_fault_ends_nothing_at_a_revocation(server: StandIn) -> None:
    token = log_in(server)["refresh_token"]
    server.fault("/revoke", "with_status", times=1, code=500)
    assert post(server, "/revoke", {"token": token}).status == 500
    assert server.check(refresh_token=token)
    assert post(server, "/revoke", {"token": token}).status == 200
    assert not server.check(refresh_token=token)


# Who it is


def test_what_is_no_dead_token(server: StandIn) -> None:
    token = log_in(server)["access_token"]
    server.settings(quota_exceeded=True)
    quota = get(server, token)
    assert (quota.status, quota.json["error"]["errors"][0]["reason"]) == (403, "quotaExceeded")
    server.settings(quota_exceeded=False, has_channel=False)
    without = get(server, token)
    assert (without.status, "items" in without.json) == (200, False)
    assert get(server, token, CHANNELS.partition("?")[0]).status == 400
    who = get(server, token, "https://www.googleapis.com/oauth2/v3/userinfo")
    assert who.status == 401, "not without openid, profile or email"


def test_the_other_hosts(server: StandIn) -> None:
    tokens = log_in(server, scope=f"openid email profile {SCOPE}")
    token = tokens["access_token"]
    known = next(user for user in server.users() if user["email"] == server.VIEWER[0])
    for url in (
        "https://www.googleapis.com/oauth2/v3/userinfo",
        "https://openidconnect.googleapis.com/v1/userinfo",
    ):
        told = get(server, token, url).json
        assert {name: told[name] for name in ("sub", "email", "name")} == {
            "sub": known["id"],
            "email": known["email"],
            "name": known["name"],
        }
    here = CHANNELS.replace("www.", "youtube.")
    assert get(server, token, here).status == 200
    assert get(server, "", f"{here}&access_token={token}").status == 200
    assert get(server, "", here).status == 401
    info = ask(server, "GET", f"{OAUTH}/tokeninfo?access_token={token}")
    assert info.json["aud"] == server.parameters["client_id"]
    assert info.json["sub"] == known["id"]
    dead = ask(server, "GET", f"{OAUTH}/tokeninfo?access_token=nonsense")
    assert (dead.status, dead.json["error"]) == (400, "invalid_token")
    identity = log_in(server, scope="openid")["access_token"]
    assert get(server, identity).json["error"]["status"] == "PERMISSION_DENIED"
    assert get(server, token, "https://oauth2.googleapis.com/youtube/v3/channels").status == 404


# What stays


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_state_outlives_the_process(server: StandIn, end: str) -> None:
    tokens, waiting = log_in(server), codes(server)
    ended = log_in(server, StandIn.NON_ASCII)
    post(server, "/revoke", {"token": ended["refresh_token"]})
    if end == "kill":
        server.kill()
        server.start()
    else:
        server.restart()
    assert get(server, tokens["access_token"]).status == 200
    assert get(server, ended["access_token"]).status == 401
    server.approve(waiting["user_code"])
    assert poll(server, waiting["device_code"]).status == 200


def test_the_journal_knows_whose_request_it_was(server: StandIn) -> None:
    first, second = log_in(server), log_in(server, StandIn.NON_ASCII)
    server.clear_journal()
    get(server, first["access_token"])
    renew(server, second["refresh_token"])
    post(server, "/revoke", {"token": first["refresh_token"]})
    ids = [one["id"] for one in server.sessions()]
    assert [one["session"] for one in server.journal()] == [ids[0], ids[1], ids[0]]
