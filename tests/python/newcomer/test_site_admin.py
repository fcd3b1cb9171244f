"""A site with Django's own admin, by a provider file from the documentation alone: a form with a
hidden token, a cookie and an Origin, and a logout that wants all of them too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import sessionkeeper
from tests.servers.fixture import StandIn

ADMIN = "https://admin.home-demo.example/admin/"
LOGOUT = "/admin/logout/"

Opened = Callable[..., sessionkeeper.Keeper]


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("django-admin").reset()


@pytest.fixture
def opened(server: StandIn, opener: Opened) -> Opened:
    return lambda device="device": opener(server, "site-admin.toml", device)


def last_alive(server: StandIn) -> bool:
    alive: bool = server.sessions()[-1]["alive"]
    return alive


def test_the_check_finds_no_problem(checked: Callable[[str], list[str]]) -> None:
    """Its one advice cannot be followed: a session of Django's is not renewed."""
    told = checked("site-admin.toml")
    (advice,) = [line for line in told if line.startswith("Advice")]
    assert advice.startswith("Advice: Without [renew]")


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII], ids=["ascii", "non-ascii"])
def test_login_restart_request_logout(
    server: StandIn, opened: Opened, who: tuple[str, str]
) -> None:
    session = opened().login(*who)
    # No answer is JSON, so the name that was typed stands for the account.
    assert session.account.as_dict()["id"] == who[0]
    assert not session.renewable

    server.restart()
    keeper = opened()
    restored = keeper.restore()
    assert restored is not None
    assert restored.account == session.account
    answer = restored.get(ADMIN)
    assert answer.status_code == 200
    user = next(one for one in server.users() if one["email"] == who[0])
    assert f"<strong>{user['name']}</strong>" in answer.text

    old = dict(restored.cookies)
    assert server.check(cookies=old)
    report = keeper.logout()
    assert (report.local, report.remote, report.status) == ("cleared", "revoked", 200)
    assert "sessionid" in report.server_cookies_cleared
    assert not server.check(cookies=old)
    assert keeper.outbox() == []
    assert opened().restore() is None


def test_a_wrong_password(server: StandIn, opened: Opened) -> None:
    keeper = opened()
    with pytest.raises(sessionkeeper.CredentialsRefused):
        keeper.login(server.VIEWER[0], "wrong")
    assert keeper.session is None
    assert server.sessions() == []
    assert len([one for one in server.journal("/admin/login/") if one["has_password"]]) == 1


def test_without_the_origin_nobody_logs_in(server: StandIn, opener: Opened, tmp_path: Path) -> None:
    text = Path(__file__).with_name("site-admin.toml").read_text("utf-8")
    file = tmp_path / "service.toml"
    file.write_text(text.replace('headers = { Origin = "{base}" }\n', ""), "utf-8")
    keeper = opener(server, str(file))
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="403"):
        keeper.login(*server.VIEWER)
    assert keeper.session is None


def test_an_address_with_a_slash_at_its_end(
    server: StandIn, opener: Opened, tmp_path: Path
) -> None:
    """An Origin must not end with a slash, and a Referer may: a file for viewers who type one."""
    text = Path(__file__).with_name("site-admin.toml").read_text("utf-8")
    file = tmp_path / "service.toml"
    referer = text.replace('{ Origin = "{base}" }', '{ Referer = "{base}/admin/" }')
    file.write_text(referer, "utf-8")
    keeper = opener(server, str(file), parameters={"base": f"{server.parameters['base']}/"})
    keeper.login(*server.VIEWER)
    assert keeper.logout().remote == "revoked"
    assert not last_alive(server)


def test_an_offline_logout_is_made_up_for(server: StandIn, opened: Opened) -> None:
    keeper = opened()
    keeper.login(*server.VIEWER)
    server.settings(listening=False)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert keeper.session is None
    assert last_alive(server)

    server.settings(listening=True)
    server.restart()
    done = opened().drain()
    assert (done.revoked, done.entries) == (1, ())
    assert not last_alive(server)


@pytest.mark.parametrize("fault", ["no_deletion", "html_200", "status:403"])
def test_an_answer_that_proves_nothing(server: StandIn, opened: Opened, fault: str) -> None:
    server.fault(LOGOUT, fault)
    keeper = opened()
    keeper.login(*server.VIEWER)
    assert keeper.logout().remote == "alive"
    assert last_alive(server)
    assert len(keeper.outbox()) == 1
    server.clear_faults()
    assert keeper.drain().revoked == 1
    assert not last_alive(server)


def test_a_session_that_somebody_else_ended(server: StandIn, opened: Opened) -> None:
    """The server leads to its login form, and deletes the cookie with any page."""
    keeper = opened()
    session = keeper.login(*server.VIEWER)
    server.end_session(server.sessions()[-1]["id"])
    assert session.get(ADMIN, allow_redirects=False).status_code == 302
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "already_ended")
    assert keeper.outbox() == []
    assert server.journal(LOGOUT) == []


def test_a_logout_ends_one_device_only(server: StandIn, opened: Opened) -> None:
    other = opened("other").login(*server.VIEWER)
    keeper = opened()
    keeper.login(*server.VIEWER)
    assert keeper.logout().remote == "revoked"
    assert [one["alive"] for one in server.sessions()] == [True, False]
    assert other.get(ADMIN, allow_redirects=False).status_code == 200
