"""Django's admin by itself, asked by a browser without a line of ours."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import Path
from typing import Callable

import pytest

from tests.servers.browser import Answer, Browser
from tests.servers.fixture import StandIn

BASE = "https://admin.home-demo.example"
ADMIN = f"{BASE}/admin/"
LOGIN = f"{BASE}/admin/login/?next=/admin/"
LOGOUT = f"{BASE}/admin/logout/"
PASSWORD = f"{BASE}/admin/password_change/"


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("django-admin").reset()


class Person(Browser):
    def log_in(self, who: tuple[str, str] = StandIn.VIEWER, **changed: str) -> Answer:
        form = {"username": who[0], "password": who[1], "next": "/admin/"}
        form["csrfmiddlewaretoken"] = hidden(self.get(LOGIN))
        return self.send(LOGIN, {**form, **changed})

    def who_am_i(self) -> str:
        """The name that is shown, or nothing."""
        answer = self.get(ADMIN, follow=False)
        assert (answer.status == 302) == (answer.headers["location"] is not None)
        found = re.findall(r"Welcome,\s*<strong>(.*?)</strong>", answer.text)
        return found[0] if answer.status == 200 else ""

    def log_out(self, token: str = "", **headers: str) -> Answer:
        form = {"csrfmiddlewaretoken": token or hidden(self.get(ADMIN))}
        return self.send(LOGOUT, form, **headers)

    def send(self, url: str, form: dict[str, str], **headers: str) -> Answer:
        headers = headers or {"Origin": BASE}
        return self.post(url, urllib.parse.urlencode(form).encode(), False, **headers)


def hidden(page: Answer) -> str:
    return re.findall(r'name="csrfmiddlewaretoken" value="(\w{64})"', page.text)[-1]


def signed_in(server: StandIn, who: tuple[str, str] = StandIn.VIEWER) -> Person:
    person = Person(server)
    assert person.log_in(who).status == 302
    return person


def copy(person: Person, server: StandIn) -> Person:
    """With the cookies that this one has now."""
    other = Person(server)
    for cookie in person.jar:
        other.jar.set_cookie(cookie)
    return other


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII])
def test_login(server: StandIn, who: tuple[str, str]) -> None:
    person = Person(server)
    person.get(LOGIN)
    before = person.cookies()["csrftoken"]
    answer = person.log_in(who)
    assert (answer.status, answer.headers["location"]) == (302, "/admin/")
    assert set(person.cookies()) == {"csrftoken", "sessionid"}
    assert person.cookies()["csrftoken"] != before, "another one from now on"
    assert all("Secure" in line and "SameSite=Lax" in line for line in answer.set_cookies)
    known = next(user for user in server.users() if user["email"] == who[0])
    assert person.who_am_i() == known["name"]
    assert server.check(cookies=person.cookies())
    (session,) = server.sessions()
    assert (session["email"], session["alive"]) == (who[0], True)
    assert server.journal("/admin/")[-1]["session"] == session["id"]


def test_a_wrong_password(server: StandIn) -> None:
    person = Person(server)
    answer = person.log_in((StandIn.VIEWER[0], "wrong"))
    assert answer.status == 200
    assert 'class="errornote"' in answer.text
    assert person.who_am_i() == ""
    assert server.sessions() == []


def test_login_without_its_token(server: StandIn) -> None:
    assert Person(server).log_in(csrfmiddlewaretoken="").status == 403
    assert Person(server).log_in(csrfmiddlewaretoken="a" * 64).status == 403
    person = Person(server)
    token = hidden(person.get(LOGIN))
    person.jar.clear()
    form = {"username": StandIn.VIEWER[0], "password": StandIn.VIEWER[1]}
    answer = person.send(LOGIN, {**form, "csrfmiddlewaretoken": token})
    assert answer.status == 403, "the cookie is missing"
    assert server.sessions() == []


def test_two_weeks_end_it(server: StandIn) -> None:
    person = signed_in(server)
    server.settings(clock_offset=14 * 24 * 3600 - 60)
    assert person.who_am_i() == "Viewer"
    server.settings(clock_offset=14 * 24 * 3600 + 60)
    answer = copy(person, server).get(ADMIN, follow=False)
    assert (answer.status, answer.headers["location"]) == (302, "/admin/login/?next=/admin/")
    (line,) = answer.set_cookies
    assert line.startswith('sessionid=""; expires=Thu, 01 Jan 1970')
    assert not server.sessions()[0]["alive"]
    server.settings(clock_offset=0, session_lifetime=60)
    person = signed_in(server)
    server.settings(clock_offset=61)
    assert person.who_am_i() == ""


# Logout


def test_logout_ends_it(server: StandIn) -> None:
    person, other = signed_in(server), signed_in(server)
    old = copy(person, server)
    answer = person.log_out()
    assert answer.status == 200
    assert "<title>Logged out" in answer.text
    (line,) = answer.set_cookies
    assert line.startswith('sessionid=""; expires=Thu, 01 Jan 1970')
    assert old.who_am_i() == ""
    assert [one["alive"] for one in server.sessions()] == [False, True]
    assert other.who_am_i() == "Viewer"


def test_the_cookie_is_a_token_too_and_the_referer_an_origin(server: StandIn) -> None:
    person = signed_in(server)
    headers = {"X-CSRFToken": person.cookies()["csrftoken"], "Referer": ADMIN}
    assert person.send(LOGOUT, {}, **headers).status == 200
    assert person.who_am_i() == ""


def test_logout_needs_its_token_and_an_origin(server: StandIn) -> None:
    person = Person(server)
    person.get(LOGIN)
    before = person.cookies()["csrftoken"]
    person.log_in()
    assert person.log_out("a" * 64).status == 403
    assert person.log_out(before).status == 403, "the token from before the login"
    assert person.send(LOGOUT, {}).status == 403
    for origin in ("null", "https://evil.example"):
        assert person.log_out(Origin=origin).status == 403
    assert person.log_out(Referer="https://evil.example/").status == 403
    assert person.log_out(Accept="text/html").status == 403, "neither Origin nor Referer"
    assert person.get(LOGOUT, follow=False).status == 405
    assert person.who_am_i() == "Viewer"


def test_logout_of_a_dead_session_leads_elsewhere(server: StandIn) -> None:
    person = signed_in(server)
    token = person.cookies()["csrftoken"]
    server.end_session(server.sessions()[0]["id"])
    answer = copy(person, server).log_out(token)
    assert (answer.status, answer.headers["location"]) == (302, "/admin/")
    assert answer.set_cookies[0].startswith('sessionid="";')


def test_a_new_password_ends_all_others(server: StandIn) -> None:
    server.add_user("changing@example.com", "pass")
    people = [signed_in(server, ("changing@example.com", "pass")) for _ in range(2)]
    form = {"old_password": "pass", "new_password1": "a new one", "new_password2": "a new one"}
    form["csrfmiddlewaretoken"] = hidden(people[0].get(PASSWORD))
    answer = people[0].send(PASSWORD, form)
    assert (answer.status, answer.headers["location"]) == (302, "/admin/password_change/done/")
    assert [one.who_am_i() for one in people] == ["changing", ""]


def test_two_accounts(server: StandIn) -> None:
    people = [signed_in(server, who) for who in (StandIn.VIEWER, StandIn.NON_ASCII)]
    assert [one.who_am_i() for one in people] == ["Viewer", "例え"]
    people[0].log_out()
    assert [one.who_am_i() for one in people] == ["", "例え"]


def test_a_logout_that_a_fault_answers_ends_nothing(server: StandIn) -> None:
    person = signed_in(server)
    kept = copy(person, server)
    server.fault("/admin/logout/", "extra_headers", headers=[["x-extra", "1"]], times=1)
    answer = person.log_out()
    assert answer.status == 200
    assert answer.set_cookies[0].startswith('sessionid="";'), "the true answer, proof and all"
    assert kept.who_am_i() == "Viewer"
    server.fault("/admin/logout/", "with_status", code=503, times=1, ends=True)
    assert kept.log_out().status == 503
    assert not server.sessions()[0]["alive"]


# The process


def test_restart_and_kill_keep_everything(tmp_path: Path) -> None:
    with StandIn("django-admin", tmp_path) as server:
        server.add_user("third@example.com", "pass", name="Third")
        ended, person = signed_in(server), signed_in(server, ("third@example.com", "pass"))
        ended.log_out()
        server.restart()
        assert person.who_am_i() == "Third"
        server.kill()
        server.start()
        assert person.who_am_i() == "Third"
        assert [one["alive"] for one in server.sessions()] == [False, True]
        assert person.log_out().status == 200
        assert len(server.users()) == 3
