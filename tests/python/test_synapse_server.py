"""The Matrix homeserver by itself, asked by a client without a line of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from tests.servers.client import Answer, Client
from tests.servers.fixture import StandIn
from tests.servers.installed import require
from tests.servers.synapse import install

API = "/_matrix/client/v3"


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    require(install.missing())
    return stand_in("synapse").reset()


class Device(Client):
    """Keeps the newest tokens."""

    refresh_token = ""

    def log_in(self, who: tuple[str, str] = StandIn.VIEWER, **more: str) -> Answer:
        address = {"type": "m.id.thirdparty", "medium": "email", "address": who[0]}
        body = {"type": "m.login.password", "identifier": address, "password": who[1]}
        return self._keep(self.post(f"{API}/login", {**body, "refresh_token": True, **more}))

    def renew(self, refresh_token: str = "") -> Answer:
        body = {"refresh_token": refresh_token or self.refresh_token}
        return self._keep(Client(self.server).post(f"{API}/refresh", body))

    def who_am_i(self) -> Answer:
        return self.get(f"{API}/account/whoami")

    def log_out(self, path: str = "/logout") -> Answer:
        return self.post(API + path, {})

    def _keep(self, answer: Answer) -> Answer:
        if answer.status == 200:
            self.token = answer.json["access_token"]
            self.refresh_token = answer.json["refresh_token"]
        return answer


def signed_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> Device:
    device = Device(server)
    assert device.log_in(who).status == 200
    return device


def said(answer: Answer) -> tuple[int, str, Any]:
    return answer.status, answer.json["errcode"], answer.json.get("soft_logout")


DEAD = (401, "M_UNKNOWN_TOKEN", False)


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_login(server: StandIn, who: tuple[str, str]) -> None:
    device = Device(server)
    told = device.log_in(who).json
    known = next(user for user in server.users() if user["email"] == who[0])
    assert told["user_id"] == known["id"]
    assert 290_000 < told["expires_in_ms"] <= 300_000
    told = device.who_am_i().json
    assert told["user_id"] == known["id"]
    assert device.get(f"{API}/profile/{known['id']}").json == {"displayname": known["name"]}
    (session,) = server.sessions()
    assert (session["email"], session["alive"]) == (who[0], True)
    assert server.journal(f"{API}/account/whoami")[0]["session"] == session["id"]


def test_a_device_that_comes_again(server: StandIn) -> None:
    first, second = Device(server), Device(server)
    first.log_in(device_id="TV")
    second.log_in(device_id="TV")
    assert [first.who_am_i().status, second.who_am_i().status] == [200, 200]
    assert len(server.sessions()) == 1, "it is one device"
    second.log_out()
    assert said(first.who_am_i()) == DEAD
    first.log_in(device_id="TV")
    assert [one["alive"] for one in server.sessions()] == [False, True]
    assert first.who_am_i().json["device_id"] == "TV"


def test_a_wrong_password(server: StandIn) -> None:
    for who in (("viewer@example.com", "wrong"), ("nobody@example.com", "correct horse")):
        assert said(Device(server).log_in(who)) == (403, "M_FORBIDDEN", None)
    assert server.sessions() == []


def test_without_being_asked_there_is_no_refresh_token(server: StandIn) -> None:
    who = {"type": "m.id.user", "user": "viewer"}
    body = {"type": "m.login.password", "identifier": who, "password": "correct horse"}
    told = Client(server).post(f"{API}/login", body).json
    assert told.keys().isdisjoint({"refresh_token", "expires_in_ms"})


# Renewal


def test_renewal(server: StandIn) -> None:
    device = signed_in(server)
    first = device.copy(), device.refresh_token
    assert device.renew().status == 200
    assert device.refresh_token != first[1]
    assert first[0].get(f"{API}/account/whoami").status == 200, "it lives until it expires"
    assert server.check(refresh_token=first[1]), "nobody knows yet whether the answer arrived"
    lost = device.copy()
    assert device.renew(first[1]).status == 200
    assert said(lost.get(f"{API}/account/whoami")) == DEAD, "its place was taken"
    assert device.who_am_i().status == 200
    assert not server.check(refresh_token=first[1])
    assert said(device.renew(first[1])) == (403, "M_FORBIDDEN", None)
    assert server.check(refresh_token=device.refresh_token), "which ended nothing"
    assert len(server.sessions()) == 1
    assert said(device.renew("syr_nothing")) == (401, "M_UNKNOWN_TOKEN", None)


def test_checking_a_token_does_not_use_it(server: StandIn) -> None:
    device = signed_in(server)
    first = device.refresh_token
    device.renew()
    assert server.check(jwt=device.token)
    assert server.check(refresh_token=first)
    device.who_am_i()
    assert server.check(jwt=device.token)
    assert not server.check(refresh_token=first)


def test_the_clock_ends_the_access(server: StandIn) -> None:
    device = signed_in(server)
    server.settings(clock_offset=301)
    assert said(device.who_am_i()) == (401, "M_UNKNOWN_TOKEN", True)
    assert not server.check(jwt=device.token)
    assert device.renew().status == 200
    assert device.who_am_i().status == 200
    server.settings(clock_offset=361 + 14 * 24 * 3600)
    assert said(device.renew()) == (403, "M_FORBIDDEN", None)
    assert not server.sessions()[0]["alive"]


def test_lifetimes_can_be_set(server: StandIn) -> None:
    device = signed_in(server)
    server.settings(access_lifetime=60)
    assert device.who_am_i().status == 200, "it was started anew, and knows who is signed in"
    assert device.renew().json["expires_in_ms"] <= 60_000


# Logout


def test_logout_ends_it(server: StandIn) -> None:
    device, other = signed_in(server), signed_in(server)
    answer = device.log_out()
    assert (answer.status, answer.json) == (200, {})
    assert said(device.who_am_i()) == DEAD
    assert said(device.log_out()) == DEAD
    assert said(device.renew()) == (401, "M_UNKNOWN_TOKEN", None)
    assert [one["alive"] for one in server.sessions()] == [False, True]
    assert other.who_am_i().status == 200
    assert server.journal(f"{API}/logout")[1]["session"] == server.sessions()[0]["id"]


def test_logout_takes_an_expired_token(server: StandIn) -> None:
    device = signed_in(server)
    server.settings(clock_offset=301)
    assert device.log_out().status == 200
    assert not server.sessions()[0]["alive"]


def test_logout_needs_a_token_and_a_post(server: StandIn) -> None:
    device = signed_in(server)
    assert said(Device(server).log_out()) == (401, "M_MISSING_TOKEN", None)
    assert device.get(f"{API}/logout").status == 405
    assert device.who_am_i().status == 200


def test_logout_everywhere_ends_the_sessions_of_one(server: StandIn) -> None:
    devices = signed_in(server), signed_in(server)
    another = signed_in(server, StandIn.NON_ASCII)
    assert devices[0].log_out("/logout/all").json == {}
    for device in devices:
        assert said(device.who_am_i()) == DEAD
        assert not server.check(refresh_token=device.refresh_token)
    assert another.who_am_i().status == 200


def test_somebody_else_ends_it(server: StandIn) -> None:
    device = signed_in(server)
    server.end_session(server.sessions()[0]["id"])
    assert said(device.who_am_i()) == DEAD
    with pytest.raises(ValueError, match="404"):
        server.end_session(server.sessions()[0]["id"])


@pytest.mark.parametrize("path", ["/logout", "/logout/all"])
def test_a_logout_that_a_fault_answers_ends_nothing(server: StandIn, path: str) -> None:
    device = signed_in(server)
    server.fault(API + path, "with_status", code=503, times=1)
    answer = device.log_out(path)
    assert (answer.status, answer.json) == (503, {})
    assert device.who_am_i().status == 200
    server.fault(API + path, "with_status", code=503, times=1, ends=True)
    assert device.log_out(path).status == 503
    assert said(device.who_am_i()) == DEAD
    server.fault(API + path, "extra_headers", headers=[["x-extra", "1"]], times=1)
    assert said(device.log_out(path)) == DEAD, "the true answer to who is not there"


# The process


def test_restart_and_kill_keep_everything(tmp_path: Path) -> None:
    require(install.missing())
    with StandIn("synapse", tmp_path) as server:
        server.add_user("third@example.com", "pass", name="Third")
        ended, device = signed_in(server), signed_in(server, ("third@example.com", "pass"))
        ended.log_out()
        server.restart()
        assert said(ended.who_am_i()) == DEAD
        assert device.who_am_i().json["user_id"] == "@third:matrix.home-demo.example"
        server.kill()
        server.start()
        assert device.renew().status == 200
        assert [one["alive"] for one in server.sessions()] == [False, True]
        server.add_user("third@example.com", "another")
        assert Device(server).log_in(("third@example.com", "pass")).status == 403
        signed_in(server, ("third@example.com", "another"))
        assert len(server.users()) == 3


def test_a_machine_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONKEEPER_SYNAPSE_PYTHON", "/nowhere/python")
    assert ".ci/setup synapse" in install.missing()
