"""The wiki by itself, asked by a browser without a line of ours."""

from __future__ import annotations

import html
import http.cookiejar
import json
import re
import urllib.parse
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.servers.browser import Answer, Browser
from tests.servers.fixture import StandIn
from tests.servers.installed import require
from tests.servers.mediawiki import install

BASE = "https://wiki.home-demo.example"
LOGIN = f"{BASE}/index.php?title=Special:UserLogin"
LOGOUT = f"{BASE}/index.php?title=Special:UserLogout"


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    require(install.missing())
    return stand_in("mediawiki").reset()


class Reader(Browser):
    def api(self, method: str = "GET", **fields: str) -> Any:
        fields = {"format": "json", "formatversion": "2", **fields}
        query = urllib.parse.urlencode(fields)
        if method == "GET":
            answer = self.get(f"{BASE}/api.php?{query}")
        else:
            answer = self.post(f"{BASE}/api.php", query.encode())
        assert answer.status == 200, "whatever it says"
        return json.loads(answer.text)

    def log_in(
        self, who: tuple[str, str] = StandIn.VIEWER, page: str = "", **changed: str
    ) -> Answer:
        form = {
            "wpName": who[0],
            "wpPassword": who[1],
            "authAction": "login",
            "title": "Special:UserLogin",
            "wpEditToken": "+\\",
            "wpLoginToken": hidden(page or self.get(LOGIN).text, "wpLoginToken"),
            **changed,
        }
        return self.post(LOGIN, urllib.parse.urlencode(form).encode(), follow=False)

    def who_am_i(self) -> str:
        """An e-mail address, or nothing."""
        told = self.api(action="query", meta="userinfo", uiprop="email")["query"]["userinfo"]
        assert told.get("anon", False) == (told["id"] == 0)
        return "" if "anon" in told else told["email"]

    def token(self) -> str:
        told = self.api(action="query", meta="tokens", type="csrf")
        return str(told["query"]["tokens"]["csrftoken"])

    def log_out(self, token: str = "") -> Any:
        return self.api("POST", action="logout", token=token or self.token())


def hidden(page: str, name: str) -> str:
    (found,) = re.findall(rf'<input[^>]*name="{name}"[^>]*>', page)
    return html.unescape(re.findall(r'value="([^"]*)"', found)[0])


def signed_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER, **more: str) -> Reader:
    reader = Reader(server)
    assert reader.log_in(who, **more).status == 302
    return reader


def copy(reader: Reader, server: StandIn) -> Reader:
    """With the cookies that this one has now."""
    other = Reader(server)
    other.jar = http.cookiejar.CookieJar()
    for cookie in reader.jar:
        other.jar.set_cookie(cookie)
    return other


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_login(server: StandIn, who: tuple[str, str]) -> None:
    reader = Reader(server)
    anonymous = reader.get(LOGIN)
    before = reader.cookies()
    answer = reader.log_in(who, anonymous.text)
    assert (answer.status, answer.headers["location"]) == (302, f"{BASE}/index.php/Main_Page")
    assert set(reader.cookies()) == {"wiki_session", "wikiUserID", "wikiUserName"}
    assert reader.cookies()["wiki_session"] != before["wiki_session"]
    assert all("secure; HttpOnly" in line for line in answer.set_cookies)
    assert reader.who_am_i() == who[0]
    assert server.check(cookies=reader.cookies())
    (session,) = server.sessions()
    assert (session["email"], session["alive"]) == (who[0], True)
    assert server.journal("/api.php")[-1]["session"] == session["id"]


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_login_by_the_api(server: StandIn, who: tuple[str, str]) -> None:
    reader = Reader(server)
    told = reader.api(action="query", meta="tokens", type="login")
    fields = {"username": who[0], "password": who[1], "loginreturnurl": BASE}
    token = told["query"]["tokens"]["logintoken"]
    told = reader.api("POST", action="clientlogin", logintoken=token, **fields)
    assert told["clientlogin"]["status"] == "PASS"
    assert reader.who_am_i() == who[0]
    told = Reader(server).api("POST", action="clientlogin", logintoken="x", **fields)
    assert told["error"]["code"] == "badtoken"


def test_a_wrong_password(server: StandIn) -> None:
    reader = Reader(server)
    for _ in range(7):
        answer = reader.log_in((StandIn.VIEWER[0], "wrong"))
        assert answer.status == 200
        assert "Incorrect username or password" in answer.text
    assert reader.who_am_i() == ""
    assert server.sessions() == []
    assert reader.log_in().status == 302


def test_login_without_its_token(server: StandIn) -> None:
    for changed in ({"wpLoginToken": ""}, {"wpLoginToken": "0" * 40 + "+\\"}):
        reader = Reader(server)
        answer = reader.log_in(**changed)
        assert answer.status == 200
        assert "problem with your login session" in answer.text
        assert reader.who_am_i() == ""


def test_who_is_told_by_a_page_as_well(server: StandIn) -> None:
    page = f"{BASE}/index.php?title=Special:Preferences"
    assert signed_in(server).get(page, follow=False).status == 200
    answer = Reader(server).get(page, follow=False)
    assert answer.status == 302
    assert "Special:UserLogin" in answer.headers["location"]


def test_an_hour_ends_it(server: StandIn) -> None:
    reader = signed_in(server)
    server.settings(clock_offset=3500)
    assert server.check(cookies=reader.cookies())
    server.settings(clock_offset=3500 + 3700)
    assert reader.who_am_i() == ""
    assert not server.sessions()[0]["alive"]


# Logout


def test_logout_ends_it(server: StandIn) -> None:
    reader, other = signed_in(server), signed_in(server)
    old = copy(reader, server)
    assert reader.log_out() == {}
    assert set(reader.cookies()) == {"wikiUserName"}
    assert old.who_am_i() == ""
    assert not server.check(cookies=reader.cookies())
    assert [one["alive"] for one in server.sessions()] == [False, True]
    assert other.who_am_i() == StandIn.VIEWER[0]


def test_logout_needs_its_token(server: StandIn) -> None:
    reader = signed_in(server)
    assert reader.log_out("+\\")["error"]["code"] == "badtoken"
    assert reader.log_out("x")["error"]["code"] == "badtoken"
    assert reader.log_out(signed_in(server).token())["error"]["code"] == "badtoken"
    assert reader.api("POST", action="logout")["error"]["code"] == "missingparam"
    told = reader.api(action="logout", token=reader.token())
    assert told["error"]["code"] == "mustpostparams"
    assert reader.who_am_i() == StandIn.VIEWER[0]


def test_logout_by_the_page(server: StandIn) -> None:
    reader = signed_in(server)
    page = reader.get(LOGOUT)
    assert reader.who_am_i() == StandIn.VIEWER[0], "it only asks"
    form = {"title": "Special:UserLogout", "wpEditToken": "+\\"}
    answer = reader.post(LOGOUT, urllib.parse.urlencode(form).encode())
    assert (answer.status, answer.set_cookies) == (200, [])
    assert server.sessions()[0]["alive"]
    form["wpEditToken"] = hidden(page.text, "wpEditToken")
    answer = reader.post(LOGOUT, urllib.parse.urlencode(form).encode())
    assert answer.status == 200
    deleted = [line.partition(";")[0] for line in answer.set_cookies]
    assert deleted == ["wiki_session=deleted", "wikiUserID=deleted"]
    assert all("Max-Age=0" in line for line in answer.set_cookies)
    assert not server.sessions()[0]["alive"]


def test_logout_of_a_dead_session_is_a_success_too(server: StandIn) -> None:
    reader = signed_in(server)
    token = reader.token()
    server.end_session(server.sessions()[0]["id"])
    assert copy(reader, server).log_out(token)["error"]["code"] == "badtoken"
    dead = copy(reader, server)
    assert set(dead.log_out("+\\")) <= {"warnings"}, "newer ones warn"
    assert set(dead.cookies()) == {"wikiUserName"}


def test_who_is_remembered_is_not_logged_out(server: StandIn) -> None:
    reader = signed_in(server, wpRemember="1")
    kept = copy(reader, server)
    assert "wikiToken" in kept.cookies()
    assert reader.log_out() == {}
    assert "wikiToken" not in reader.cookies()
    assert server.check(cookies=kept.cookies())
    assert [one["alive"] for one in server.sessions()] == [False], "checking begins none"
    assert kept.who_am_i() == StandIn.VIEWER[0]
    assert [one["alive"] for one in server.sessions()] == [False, True]


def test_two_accounts(server: StandIn) -> None:
    readers = [signed_in(server, who) for who in (StandIn.VIEWER, StandIn.NON_ASCII)]
    assert [one.who_am_i() for one in readers] == [StandIn.VIEWER[0], StandIn.NON_ASCII[0]]
    readers[0].log_out()
    assert [one.who_am_i() for one in readers] == ["", StandIn.NON_ASCII[0]]


def test_a_logout_that_a_fault_answers_ends_nothing(server: StandIn) -> None:
    reader = signed_in(server)
    token, thief = reader.token(), copy(reader, server)
    server.fault("/api.php", "extra_headers", headers=[["x-extra", "1"]], times=1)
    assert reader.log_out(token) == {}
    assert set(reader.cookies()) == {"wikiUserName"}, "the true answer, proof and all"
    assert thief.who_am_i() == StandIn.VIEWER[0]
    server.fault("/api.php", "with_status", code=200, times=1, ends=True)
    assert thief.log_out(token) == {}
    assert not server.sessions()[0]["alive"]


# The process


def test_restart_and_kill_keep_everything(tmp_path: Path) -> None:
    require(install.missing())
    with StandIn("mediawiki", tmp_path) as server:
        server.add_user("third@example.com", "pass", name="Third")
        ended, reader = signed_in(server), signed_in(server, ("third@example.com", "pass"))
        ended.log_out()
        server.restart()
        assert reader.who_am_i() == "third@example.com"
        server.kill()
        server.start()
        assert reader.who_am_i() == "third@example.com"
        assert [one["alive"] for one in server.sessions()] == [False, True]
        server.add_user("third@example.com", "another")
        assert Reader(server).log_in(("third@example.com", "pass")).status == 200
        signed_in(server, ("third@example.com", "another"))
        assert len(server.users()) == 3


def test_a_machine_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONKEEPER_MEDIAWIKI", "/nowhere")
    assert ".ci/setup mediawiki" in install.missing()
    monkeypatch.setenv("PATH", "")
    assert "php is missing" in install.missing()
