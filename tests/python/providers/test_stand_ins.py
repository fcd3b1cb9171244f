"""What the stand-ins have in common, asked by a client without a line of ours: each refuses what
the real service would. That the rest of it is as the providers need it, the other tests here show.
"""

from __future__ import annotations

import http.client

import pytest

from tests.python.providers.services import (
    IDEMPOTENT,
    JWT_AUDIT,
    LINXUP,
    RENEWING,
    Service,
    alive,
    email,
)
from tests.servers.client import Answer, Client
from tests.servers.fastapi_parts.audit import audit_log
from tests.servers.fixture import StandIn

MONTH = 31 * 24 * 3600
AUDITED = pytest.mark.parametrize("service", [JWT_AUDIT, IDEMPOTENT], ids=lambda one: one.id)


def log_in(client: Client, service: Service, name: str, password: str) -> Answer:
    given = {"email": name, "username": name, "password": password}
    post = client.submit if service.takes_form else client.post
    return post(service.login, given)


def signed_in(server: StandIn, service: Service, who: tuple[str, str] = StandIn.VIEWER) -> Client:
    client = Client(server)
    assert log_in(client, service, *who).status == 200
    return client


def events(server: StandIn) -> list[tuple[str, str]]:
    return [(one["event"], one["detail"]) for one in audit_log(server.directory)]


def test_refused_logins(server: StandIn, service: Service) -> None:
    client = Client(server)
    for name, password in ((server.VIEWER[0], "wrong"), ("nobody@example.com", "x")):
        refused = log_in(client, service, name, password)
        assert (refused.status, refused.cookies) == (401, {})
    assert client.post(service.login, ["nonsense"]).status in (400, 422)
    assert server.sessions() == []


@AUDITED
def test_the_form_that_fastapi_documents(server: StandIn, service: Service) -> None:
    given = dict(zip(("username", "password"), server.VIEWER))
    assert Client(server).post(service.login, given).status == 422
    assert Client(server).submit(service.login, {**given, "grant_type": "code"}).status == 422
    assert server.sessions() == []
    granted = Client(server).submit(service.login, {**given, "grant_type": "password"})
    assert (granted.status, granted.json["token_type"]) == (200, "bearer")


def test_a_session_ended_by_somebody_else(server: StandIn, service: Service) -> None:
    client, other = signed_in(server, service), signed_in(server, service)
    server.end_session(server.sessions()[0]["id"])
    assert client.get(service.me).status == 401
    if service.renews:
        assert client.post(service.renew).status == 401
    assert alive(server) == [False, True]
    assert other.get(service.me).status == 200
    with pytest.raises(ValueError, match="404"):
        server.end_session("nobody")


@pytest.mark.parametrize("service", RENEWING, ids=lambda one: one.id)
def test_what_renews_serves_once(server: StandIn, service: Service) -> None:
    client, other = signed_in(server, service), signed_in(server, service)
    thief = client.copy()
    assert client.post(service.renew).status == 200
    assert client.get(service.me).status == 200
    assert server.check(cookies=client.cookies)
    (session, _) = server.sessions()
    assert (session["alive"], session["renewals"]) == (True, 1)
    assert thief.post(service.renew).status == 401
    assert client.post(service.renew).status == client.get(service.me).status == 401
    assert not server.check(cookies=client.cookies)
    assert alive(server) == [False, True]
    assert other.post(service.renew).status == 200


def test_its_clock_ends_the_access_and_then_what_renews(server: StandIn, service: Service) -> None:
    client = signed_in(server, service)
    server.settings(clock_offset=service.lapse + 1)
    assert client.get(service.me).status == 401
    if not service.renews:
        return
    assert client.post(service.renew).status == 200
    assert client.get(service.me).status == 200
    server.settings(clock_offset=MONTH + service.lapse)
    assert client.post(service.renew).status == 401
    assert not server.check(cookies=client.cookies)


@pytest.mark.parametrize("service", [JWT_AUDIT, IDEMPOTENT, LINXUP], ids=lambda one: one.id)
def test_a_fault_decides_whether_the_session_ends(server: StandIn, service: Service) -> None:
    client = signed_in(server, service)
    server.fault(service.logout, "with_status", code=500, times=1)
    assert client.copy().post(service.logout).status == 500
    assert client.get(service.me).status == 200
    server.fault(service.logout, "ended_but_reset", times=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        client.post(service.logout)
    assert client.get(service.me).status == 401
    answers = [one["answer"] for one in server.journal(service.logout)]
    assert answers == ["with_status", "ended_but_reset"]


def test_everything_outlives_stop_and_kill(server: StandIn, service: Service) -> None:
    server.add_user("third@example.com", "pass", id="7")
    gone = signed_in(server, service)
    stays = signed_in(server, service, ("third@example.com", "pass"))
    server.end_session(server.sessions()[0]["id"])
    thief = stays.copy()
    if service.renews:
        stays.post(service.renew)
    server.settings(clock_offset=1)
    server.kill()
    server.start()
    assert gone.get(service.me).status == 401
    assert email(stays.get(service.me).json) == "third@example.com"
    server.restart()
    assert server.settings()["clock_offset"] == 1
    assert alive(server) == [False, True]
    if service.renews:
        assert thief.post(service.renew).status == 401, "it was used before"
        assert alive(server) == [False, False]
    stays = signed_in(server, service)
    server.reset()
    assert stays.get(service.me).status == 401, "of a test before"
    assert server.sessions() == []


def test_control_refuses_nonsense(server: StandIn) -> None:
    for changes in ({"nonsense": 1}, {"tls": "sometimes"}, {"clock_offset": "soon"}):
        with pytest.raises(ValueError, match=r"setting|takes"):
            server.settings(**changes)


# The two that keep an audit log, row by row of the table that both generations are told by


@AUDITED
@pytest.mark.parametrize("refusal", ["", "401", "403"], ids=["new", "old", "old 403"])
@pytest.mark.parametrize("row", ["", "missing", "invalid", "expired", "revoked", "database"])
def test_what_a_logout_is_answered(
    server: StandIn, service: Service, refusal: str, row: str
) -> None:
    client = signed_in(server, service)
    if row == "missing":
        client.token = ""
        client.cookies.clear()
    elif row == "invalid":
        client.token = client.token[:-6] + "AAAAAA"
    elif row == "revoked":
        server.end_session(server.sessions()[-1]["id"])
    server.settings(
        clock_offset=service.lapse + 1 if row == "expired" else 0,
        database_fails=row == "database",
        **({"generation": "old", "old_refusal": refusal} if refusal else {}),
    )
    answer = client.post(service.logout)
    server.settings(database_fails=False)
    if refusal:
        assert answer.status == {"": 200, "database": 500}.get(row, int(refusal))
        assert events(server)[1:] == ([] if row else [("logout", "")])
    else:
        assert answer.status == 200
        assert events(server)[1:] == ([] if row == "database" else [("logout", row)])
    if row == "database":
        assert client.get(service.me).status == 200, "nothing has ended"


@AUDITED
def test_a_database_that_fails(server: StandIn, service: Service) -> None:
    client = signed_in(server, service)
    server.settings(database_fails=True)
    assert client.get(service.me).status == 500
    assert log_in(Client(server), service, *server.VIEWER).status == 500
    server.settings(database_fails=False)
    assert client.get(service.me).status == 200


@AUDITED
def test_secrets_are_not_in_the_files(server: StandIn, service: Service) -> None:
    client = signed_in(server, service)
    log_in(Client(server), service, server.VIEWER[0], "a wrong one")
    texts = [one.read_bytes() for one in server.directory.glob("*.sqlite3")]
    assert texts
    secrets = (server.VIEWER[1], server.NON_ASCII[1], "a wrong one", client.token)
    for secret in (*secrets, *client.cookies.values()):
        assert not any(secret.encode() in text for text in texts)
