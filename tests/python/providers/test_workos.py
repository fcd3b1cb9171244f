"""A sealed session behind an application, whose end is a page at WorkOS that has to be opened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import (
    WORKOS,
    Copied,
    OpenKeeper,
    Service,
    alive,
    assert_signed_out,
    audited,
    base,
    hosts_of,
    me,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
LOGOUT, RENEW = WORKOS.logout, WORKOS.renew
WAY_OUT = "/user_management/sessions/logout"
API = "api.workos.com"


@pytest.fixture(scope="module")
def service() -> Service:
    return WORKOS


@pytest.fixture
def copied(server: StandIn, keeper: sessionkeeper.Keeper) -> Copied:
    """What the session holds; with it, `keeper` is logged in."""
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, WORKOS, keeper)
    server.clear_journal()
    return copied


def test_the_url_of_the_answer_is_opened_and_the_session_tried(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    (session,) = server.sessions()
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "revoked")
    fresh, first, second, third = server.journal()
    assert (fresh["path"], fresh["answer"]) == (RENEW, 200)
    assert (first["method"], first["path"], first["cookies"]) == ("POST", LOGOUT, ["wos_session"])
    assert (second["method"], second["host"], second["path"]) == ("GET", API, WAY_OUT)
    assert second["query"] == {"session_id": session["id"], "return_to": f"{base(server)}/goodbye"}
    assert (third["path"], third["answer"]) == (RENEW, 401)
    assert server.sessions()[-1]["ended_by"] == "logout"
    copied.assert_refused()


def test_workos_gets_no_cookie_and_no_token(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    keeper.renew()
    keeper.logout()
    asked = server.journal(host=API)
    assert [(one["path"], one["cookies"], one["bearer"]) for one in asked] == [(WAY_OUT, [], False)]


def test_the_redirect_at_the_end_is_not_followed(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    for fault in ("evil_host", "evil_http", "evil_subdomain"):
        server.fault(WAY_OUT, fault, ends=True, times=1)
        assert keeper.logout().remote == "revoked"
        keeper.login(NAME, PASSWORD)
    assert {one["host"] for one in server.journal()} == set(hosts_of(server, WORKOS))
    assert server.journal("/goodbye") == []


@pytest.mark.parametrize(
    "where",
    [
        "https://evil.example/user_management/sessions/logout",
        f"https://{API}.evil.example/user_management/sessions/logout",
        f"http://{API}:{{port}}/user_management/sessions/logout",
        f"https://{API}:{{port}}/user_management/sessions/logout",
        f"https://{API}@evil.example/user_management/sessions/logout",
        "javascript:alert(1)",
    ],
)
def test_a_url_that_leads_elsewhere_is_not_opened(
    server: StandIn, open_keeper: OpenKeeper, where: str
) -> None:
    keeper = open_keeper(resolve=server.resolve_also("evil.example", f"{API}.evil.example"))
    keeper.login(NAME, PASSWORD)
    copied = Copied(server, WORKOS, keeper)
    session_id = server.sessions()[-1]["id"]
    url = f"{where.replace('{port}', str(server.port))}?session_id={session_id}"
    server.fault(LOGOUT, "json_200", body=json.dumps({"logout_url": url}))
    server.clear_journal()
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "alive")
    assert {one["host"] for one in server.journal()} == {hosts_of(server, WORKOS)[0]}
    assert server.connections() == []
    assert alive(server) == [True]
    server.clear_faults()
    assert keeper.drain().revoked == 1
    copied.assert_refused()


@pytest.mark.parametrize("setting", ["backend_fails", "workos_down"])
def test_what_is_away_is_told_later(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied, setting: str
) -> None:
    server.settings(**{setting: True})
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert_signed_out(keeper)
    assert keeper.drain().revoked == 0
    server.settings(**{setting: False})
    copied.assert_accepted()
    assert keeper.drain().revoked == 1
    copied.assert_refused()
    assert len(audited(keeper, "revoked")) == 1


def test_the_page_that_could_not_be_opened_is_opened_later(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    server.fault(WAY_OUT, "reset_after_read")
    assert keeper.logout().remote == "deferred"
    # The application knows nothing more by now; the address was kept.
    server.settings(backend_fails=True)
    server.clear_faults()
    assert keeper.drain().revoked == 0
    assert server.journal(WAY_OUT)[-1]["answer"] == 302
    assert alive(server) == [False]
    server.settings(backend_fails=False)
    assert keeper.drain().revoked == 1
    copied.assert_refused()


def test_a_page_that_ends_nothing_is_found_out(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    """It answers as ever, and the session lives. Each renewal that shows it is followed by another
    logout."""
    server.fault(WAY_OUT, "delay", delay=0, ends=False, times=3)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "alive")
    assert report.expires_at is not None
    assert [one["path"] for one in server.journal()] == [RENEW, LOGOUT, WAY_OUT] * 3
    (session,) = server.sessions()
    assert (session["alive"], session["renewals"], session["reuses"]) == (True, 3, 0)
    assert keeper.drain().revoked == 1
    (session,) = server.sessions()
    assert (session["ended_by"], session["reuses"]) == ("logout", 0)
    copied.assert_refused()


def test_an_access_token_that_is_over_logs_out_all_the_same(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    """Without a good one the application has no URL to give."""
    server.settings(clock_offset=WORKOS.lapse + 5)
    assert keeper.logout().remote == "revoked"
    assert [one["path"] for one in server.journal()] == [RENEW, LOGOUT, WAY_OUT, RENEW]
    copied.assert_refused()


def test_no_try_leaves_the_session_living_longer(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    """Each comes after the end of the access token that the one before got."""
    server.settings(listening=False)
    outcomes = [keeper.logout(deadline=1).remote]
    server.settings(listening=True)
    server.fault(WAY_OUT, "delay", delay=0, ends=False, times=1)
    for tries in range(2, 7):
        server.settings(clock_offset=tries * (WORKOS.lapse + 5))
        keeper.drain()
        outcomes += [entry.last_outcome for entry in keeper.outbox()]
    (session,) = server.sessions()
    assert (outcomes, session["ended_by"]) == (["deferred"], "logout")
    # One before the first logout that arrived, one after it, which shows that it did nothing.
    assert (session["renewals"], session["reuses"]) == (2, 0)
    copied.assert_refused()


def test_without_a_refresh_path_it_is_asked_once_and_said_until_when(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    server.settings(refresh_path=False, clock_offset=WORKOS.lapse + 5)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "unconfirmed")
    assert report.reason
    assert report.expires_at == pytest.approx(server.sessions()[0]["expires_at"], abs=600)
    server.clear_journal()
    for _ in range(3):
        assert keeper.drain().unconfirmed == 0
    assert server.journal() == []
    (entry,) = keeper.outbox()
    assert (entry.last_outcome, entry.next_attempt_at) == ("unconfirmed", None)
    assert entry.expires_at == report.expires_at


def test_a_session_that_nothing_ends_is_not_kept_alive_by_us(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    server.fault(WAY_OUT, "delay", delay=0, ends=False)
    assert keeper.logout().remote == "alive"
    for _ in range(3):
        keeper.drain()
    (entry,) = keeper.outbox()
    assert (entry.last_outcome, entry.next_attempt_at) == ("alive", None)
    assert server.sessions()[0]["renewals"] == 5
    assert entry.expires_at == pytest.approx(server.sessions()[0]["expires_at"], abs=5)
    server.clear_journal()
    keeper.drain()
    assert server.journal() == []


@pytest.mark.parametrize("key", ["logout_url", "logoutUrl", "url"])
def test_the_url_is_found_by_any_of_its_names(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied, key: str
) -> None:
    server.settings(logout_key=key)
    assert keeper.logout().remote == "revoked"
    assert server.sessions()[-1]["ended_by"] == "logout"
    copied.assert_refused()


def test_an_application_that_knows_no_session(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    """It has another key for its cookies: no way out, and no way in either, so nothing is known."""
    body = json.dumps({"logout_url": None})
    server.fault(LOGOUT, "json_200", body=body)
    server.fault(RENEW, "status:401")
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "unconfirmed")
    assert alive(server) == [True]


@pytest.mark.parametrize("domain", ["app.workos-demo.example", "workos-demo.example"])
def test_a_cookie_with_a_domain_is_proved_deleted_too(
    server: StandIn, open_keeper: OpenKeeper, tmp_path: Path, domain: str
) -> None:
    """One for more than the application's host has to be allowed in the provider file."""
    built_in = Path(__file__).parents[3] / "resources/providers/workos.toml"
    listed = f'cookie_domains = ["{domain}"]\n\n[parameters.base]'
    file = tmp_path / "домен.toml"
    file.write_text(built_in.read_text("utf-8").replace("[parameters.base]", listed), "utf-8")
    server.settings(cookie_domain=domain)
    keeper = open_keeper(WORKOS.id if domain.startswith("app.") else file)
    session = keeper.login(*StandIn.NON_ASCII)
    assert me(server, WORKOS, session) == StandIn.NON_ASCII[0]
    copied = Copied(server, WORKOS, keeper)
    assert keeper.logout().remote == "revoked"
    copied.assert_refused()


def test_the_command_line_waits_for_workos(server: StandIn, command_line: CommandLine) -> None:
    command_line.json("login", "--username", NAME, given=PASSWORD.encode() + b"\n")
    server.fault(WAY_OUT, "status:503", times=1)
    assert command_line.json("logout")["remote"] == "deferred"
    (entry,) = command_line.json("outbox")["entries"]
    assert entry["last_outcome"] == "deferred"
    # Another process opens the page that the first one was told of.
    assert command_line.json("outbox", "--drain")["revoked"] == 1
    assert alive(server) == [False]


def test_an_endpoint_that_is_gone_is_told_as_such(
    server: StandIn, keeper: sessionkeeper.Keeper, copied: Copied
) -> None:
    server.fault(LOGOUT, "status:404")
    report = keeper.logout()
    assert (report.remote, report.status) == ("deferred", 404)
    assert "404" in report.reason
    for _ in range(3):
        keeper.drain()
    (entry,) = keeper.outbox()
    assert entry.last_outcome == "rejected"
