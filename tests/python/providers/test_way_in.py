"""Logging in and coming back, the same for every provider."""

from __future__ import annotations

import json

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.providers.services import (
    IDEMPOTENT,
    JWT_AUDIT,
    OpenKeeper,
    Service,
    alive,
    assert_signed_out,
    base,
    email,
    hosts_of,
    me,
)
from tests.servers.fixture import StandIn

NAME, PASSWORD = StandIn.VIEWER
AUDITED = pytest.mark.parametrize("service", [JWT_AUDIT, IDEMPOTENT], ids=lambda one: one.id)


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII], ids=["ascii", "non-ascii"])
def test_a_login_and_a_request(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper, who: tuple[str, str]
) -> None:
    assert_signed_out(keeper)
    session = keeper.login(*who)
    names = {one["email"]: (one["id"], one["name"]) for one in server.users()}
    account = session.account
    assert (account.email, (account.id, account.name)) == (who[0], names[who[0]])
    assert session.renewable is service.renews
    assert set(keeper.status().cookies) == set(service.cookies)
    assert me(server, service, session) == who[0]
    (request,) = server.journal(service.me)
    assert request["session"] == server.sessions()[-1]["id"]
    assert not request["has_password"]


@AUDITED
def test_the_form_that_fastapi_documents(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    """RFC 6749 section 4.3.2 wants the grant_type, which FastAPI's strict form insists on."""
    keeper.login(NAME, PASSWORD)
    (request,) = server.journal(service.login)
    assert (request["grant_type"], request["answer"]) == ("password", 200)


def test_other_processes_need_no_password(
    server: StandIn, service: Service, command_line: CommandLine
) -> None:
    name, password = StandIn.NON_ASCII
    given = f"{password}\n".encode()
    shown = command_line.json("login", "--username", name, given=given)
    assert (shown["state"], shown["account"]["email"]) == ("signed_in", name)
    server.clear_journal()
    assert command_line.json("status")["account"]["email"] == name
    assert server.journal() == []
    assert command_line.json("restore")["account"]["email"] == name
    answer = command_line.json("request", "GET", base(server) + service.me)
    assert answer["status"] == 200
    assert email(json.loads(answer["body"])) == name
    assert sum(one["has_password"] for one in server.journal()) == 0
    report = command_line.json("logout")
    assert (report["local"], report["remote"]) == ("cleared", "revoked")
    assert set(report["cookies_cleared"]) == set(service.cookies)
    assert alive(server) == [False]
    assert command_line.json("restore", exit_status=3)["state"] == "signed_out"
    assert command_line.json("logout")["local"] == "already_signed_out"
    assert command_line.json("outbox") == {"entries": []}
    events = [event["event"] for event in command_line.json("audit")["events"]]
    assert [events.count(event) for event in ("login", "logout", "revoked")] == [1, 1, 1]


def test_a_wrong_password_changes_nothing(
    server: StandIn, service: Service, keeper: sessionkeeper.Keeper
) -> None:
    for wrong in ("wrong-canary", "хибний-canary-🔑"):
        with pytest.raises(sessionkeeper.CredentialsRefused) as caught:
            keeper.login(NAME, wrong)
        assert wrong not in f"{caught.value} {caught.value.hint} {caught.value!r}"
        assert_signed_out(keeper)
    session = keeper.login(NAME, PASSWORD)
    with pytest.raises(sessionkeeper.CredentialsRefused):
        keeper.login(StandIn.NON_ASCII[0], "wrong-canary")
    assert me(server, service, session) == NAME
    assert alive(server) == [True]
    assert keeper.outbox() == []


def test_the_address_as_people_write_it(
    server: StandIn, service: Service, open_keeper: OpenKeeper
) -> None:
    host = hosts_of(server, service)[0]
    keeper = open_keeper(parameters={"base": f"https://{host.upper()}/"})
    session = keeper.login(NAME, PASSWORD)
    assert me(server, service, session) == NAME
    assert keeper.logout().remote == "revoked"
    assert alive(server) == [False]


def test_an_address_of_another_script(
    server: StandIn, service: Service, open_keeper: OpenKeeper
) -> None:
    # Nobody is there; what counts is where it was looked for.
    keeper = open_keeper(
        parameters={"base": "https://例え.example"},
        resolve=server.resolve_also("xn--r8jz45g.example"),
    )
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="421"):
        keeper.login(NAME, PASSWORD)
    assert {one["host"] for one in server.journal()} == {"xn--r8jz45g.example"}
