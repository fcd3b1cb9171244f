"""A service like none of the built-in ones, by a provider file from the documentation alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sessionkeeper
from tests.servers.fixture import StandIn

FILE = Path(__file__).with_name("provider.toml")
ME = "https://api.north.newcomer-demo.example/v3/me"
LOGOUT = "/v3/sessions/current"

Open = Callable[..., sessionkeeper.Keeper]


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("newcomer").reset()


@pytest.fixture
def opened(server: StandIn, tmp_path: Path) -> Open:
    def give(device: str = "device", file: Path = FILE, **more: object) -> sessionkeeper.Keeper:
        return sessionkeeper.open(
            file,
            parameters=server.parameters,
            data_dir=tmp_path / device / "data",
            key_dir=tmp_path / device / "keys",
            ca_file=server.ca_file,
            resolve=server.resolve,
            **{"renewal_margin": 60, **more},
        )

    return give


def bearer_of(session: sessionkeeper.Session) -> str:
    return session.headers["Authorization"].partition(" ")[2]


def test_the_check_finds_nothing() -> None:
    command = [sys.executable, "-m", "sessionkeeper", "providers", "check", str(FILE)]
    ran = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", timeout=30)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "No problems" in ran.stdout
    assert "Advice" not in ran.stdout
    found = sessionkeeper.check_provider(FILE, {"region": "south"})
    assert (found.problems, found.advice) == ((), ())
    assert "https://signin.south.newcomer-demo.example/v3/signin" in "".join(found.summary)


@pytest.mark.parametrize("who", [StandIn.VIEWER, StandIn.NON_ASCII], ids=["ascii", "non-ascii"])
def test_login_restart_request_logout(server: StandIn, opened: Open, who: tuple[str, str]) -> None:
    session = opened().login(*who)
    user = next(one for one in server.users() if one["email"] == who[0])
    shown = session.account.as_dict()
    assert shown == {"id": user["id"], "name": user["name"], "email": user["email"]}
    assert session.renewable

    server.restart()
    keeper = opened()
    restored = keeper.restore()
    assert restored is not None
    assert restored.account == session.account
    answer = restored.get(ME)
    assert answer.status_code == 200
    assert answer.json() == {"uid": user["id"], "mail": user["email"], "nick": user["name"]}
    assert server.journal("/v3/renew") == []

    old = bearer_of(restored)
    assert server.check(jwt=old)
    report = keeper.logout()
    assert (report.local, report.remote, report.status) == ("cleared", "revoked", 200)
    assert not server.check(jwt=old)
    assert keeper.session is None
    assert keeper.outbox() == []
    assert opened().restore() is None


def test_the_sign_in_host_gets_no_token(server: StandIn, opened: Open) -> None:
    session = opened().login(*server.VIEWER)
    session.get("https://signin.north.newcomer-demo.example/v3/me")
    session.get(ME)
    found = [(one["host"], one["session"]) for one in server.journal("/v3/me")]
    here = server.sessions()[-1]["id"]
    assert found == [
        ("signin.north.newcomer-demo.example", None),
        ("api.north.newcomer-demo.example", here),
    ]


def test_with_the_default_margin(server: StandIn, opened: Open) -> None:
    """The tokens last for 600 s, and the margin is an hour: not a renewal for each request."""
    session = opened(renewal_margin=3600).login(*server.VIEWER)
    for _ in range(3):
        assert session.get(ME).status_code == 200
    assert opened(renewal_margin=3600).restore() is not None
    assert server.journal("/v3/renew") == []


def test_an_offline_logout_is_made_up_for(server: StandIn, opened: Open) -> None:
    keeper = opened()
    old = bearer_of(keeper.login(*server.VIEWER))
    server.settings(listening=False)
    report = keeper.logout()
    assert (report.local, report.remote) == ("cleared", "deferred")
    assert keeper.session is None
    assert server.check(jwt=old)

    server.settings(listening=True)
    server.restart()
    again = opened()
    assert len(again.outbox()) == 1
    done = again.drain()
    assert (done.revoked, done.entries) == (1, ())
    assert not server.check(jwt=old)


def test_a_corrected_file_reaches_a_waiting_logout(
    server: StandIn, opened: Open, tmp_path: Path
) -> None:
    file = tmp_path / "service.toml"
    right = FILE.read_text("utf-8")
    file.write_text(right.replace(LOGOUT, "/v4/gone"), "utf-8")
    keeper = opened(file=file)
    keeper.login(*server.VIEWER)
    assert keeper.logout().remote == "deferred"
    file.write_text(right, "utf-8")
    assert opened(file=file).drain().revoked == 1


def test_an_answer_without_the_proof(server: StandIn, opened: Open) -> None:
    keeper = opened()
    old = bearer_of(keeper.login(*server.VIEWER))
    server.settings(keeps_sessions=True)
    assert keeper.logout().remote == "unconfirmed"
    assert server.check(jwt=old)
    server.settings(keeps_sessions=False)
    assert keeper.drain().revoked == 1
    assert not server.check(jwt=old)


def test_everywhere(server: StandIn, opened: Open) -> None:
    other = opened("other").login(*server.VIEWER)
    stranger = opened("stranger").login(*server.NON_ASCII)
    keeper = opened()
    tokens = [bearer_of(other), bearer_of(keeper.login(*server.VIEWER))]
    report = keeper.logout(everywhere=True)
    assert (report.remote, report.sessions_ended) == ("revoked", 2)
    assert not any(server.check(jwt=token) for token in tokens)
    assert server.check(jwt=bearer_of(stranger))
    with pytest.raises(sessionkeeper.SessionExpired):
        other.get(ME)
