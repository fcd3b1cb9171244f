"""Nothing secret gets out: canaries through the whole main job, at the most talkative log level.

Passwords, tokens, cookies, form values and the device key are looked for in all that is printed,
logged, stored, raised or shown, by the Python API and by the command line.
"""

from __future__ import annotations

import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from tests.python.conftest import CommandLine
from tests.python.planting import (
    ECHOED,
    LOGOUT_FAULTS,
    NAME,
    PASSWORD,
    WRONG,
    Plant,
    Shown,
    plant_in,
)
from tests.servers.fixture import StandIn

GRAPHQL = "https://api.angelstudios.com/graphql"
ME = '{"query": "{ me { id email name } }"}'
REFUSED_COOKIE = [["Set-Cookie", f"strange={ECHOED}; Domain=example.org"]]


class Stage(Shown):
    """One keeper with its log turned up, and all that it showed."""

    def __init__(self, keeper: sessionkeeper.Keeper, plant: Plant) -> None:
        super().__init__(keeper)
        self.plant = plant

    def log_in(self) -> sessionkeeper.Session:
        session = self.keeper.login(NAME, PASSWORD)
        self.plant.take(session.cookies, session.headers)
        return session

    def leaks(self, capfd: pytest.CaptureFixture[str]) -> list[str]:
        self.show_the_rest()
        self.shown["standard output"], self.shown["standard error"] = capfd.readouterr()
        return self.plant.leaks(self.shown)


@pytest.fixture
def stage(
    angel: StandIn, tmp_path: Path, open_keeper: Callable[..., sessionkeeper.Keeper]
) -> Stage:
    plant = Plant(angel, tmp_path / "data", tmp_path / "keys")
    return Stage(open_keeper(log_level="debug"), plant)


def test_logging_in_shows_no_secret(
    angel: StandIn, stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    keeper = stage.keeper
    stage.fails("a refused login", lambda: keeper.login(NAME, WRONG))
    stage.fails("an empty name", lambda: keeper.login("", PASSWORD))
    stage.fails("an unusable password", lambda: keeper.login(NAME, f"{PASSWORD}\0"))
    stage.fails("no text", lambda: keeper.login(NAME, PASSWORD.encode() + b"\xff"))
    for name, parameters in (
        ("status:500", {"body": ECHOED}),
        ("wrong_location", {"location": f"https://www.angel.com/x?code={ECHOED}"}),
        ("evil_host", {"location": f"https://evil.example/?code={ECHOED}"}),
        ("status:307", {"location": f"https://auth.angel.com/?code={ECHOED}"}),
        ("reset_after_read", {}),
    ):
        angel.fault("/u/login", name, times=1, **parameters)
        stage.fails(f"a login met by {name}", lambda: keeper.login(NAME, PASSWORD))
    stage.log_in()
    log = (Path(keeper.data_dir or "") / "sessionkeeper.log").read_text(encoding="utf-8")
    assert "[DEBUG] log in: sending the login form" in log
    assert stage.leaks(capfd) == []


def test_a_session_shows_no_secret(
    angel: StandIn, stage: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    keeper = stage.keeper
    session = stage.log_in()
    stage.show("the session", session, session.status, session.account, keeper.restore())
    angel.fault("/graphql", "extra_headers", headers=REFUSED_COOKIE)
    answer = session.post(GRAPHQL, data=ME, headers={"Content-Type": "application/json"})
    assert answer.ok
    stage.show("an answer", answer, answer.headers)
    for name in ("Cookie", "X-A"):
        headers = {name: f"{PASSWORD}\r\n"}
        stage.fails(name, partial(session.get, GRAPHQL, headers=headers))
    for url in (f"https://evil.example/?token={ECHOED}", f"https://x:{ECHOED}@www.angel.com/"):
        stage.fails("another address", partial(session.get, url))
    angel.fault("/graphql", "html_200", body=f"<p>{ECHOED}</p>")
    page = session.get(GRAPHQL)
    stage.show("a page", page)
    angel.clear_faults()
    renewed = keeper.renew()
    stage.plant.take(renewed.cookies, renewed.headers)
    stage.show("a renewed session", renewed)
    angel.end_session(angel.sessions()[-1]["id"])
    stage.fails("a session that was ended", partial(session.post, GRAPHQL, data=ME))
    stage.show("a logout", keeper.logout())
    stage.fails("nobody logged in", partial(session.post, GRAPHQL, data=ME))
    log = keeper.take_log()
    assert any("a cookie was refused" in text for level, text in log if level == 0)
    stage.show("the log so far", *log)
    assert stage.leaks(capfd) == []


@pytest.mark.parametrize(("fault", "parameters"), LOGOUT_FAULTS, ids=[f for f, _ in LOGOUT_FAULTS])
def test_a_logout_shows_no_secret(
    angel: StandIn,
    stage: Stage,
    capfd: pytest.CaptureFixture[str],
    fault: str,
    parameters: dict[str, Any],
) -> None:
    keeper = stage.keeper
    stage.log_in()
    angel.fault("/logout", fault, **parameters)
    stage.show("a logout", keeper.logout(deadline=5), keeper.outbox(), keeper.drain())
    angel.clear_faults()
    stage.show("a drain", keeper.outbox(), keeper.drain())
    assert keeper.outbox() == []
    assert stage.leaks(capfd) == []


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_the_command_line_shows_no_secret(
    angel: StandIn, command_line: CommandLine, as_json: bool
) -> None:
    plant, credentials = plant_in(command_line, angel)
    output: dict[str, str | bytes] = {}

    def run(*arguments: str, expected: int = 0, given: bytes = b"", **environment: str) -> None:
        options = ["--verbose", "--json"] if as_json else ["--verbose"]
        ended = subprocess.run(
            command_line.command(*options, *arguments),
            input=given,
            capture_output=True,
            env={**command_line.environment, **environment},
            timeout=60,
            check=False,
        )
        step = f"step {len(output)}, {' '.join(arguments)}"
        assert ended.returncode == expected, (step, ended.stdout, ended.stderr)
        output[f"standard output of {step}"] = ended.stdout
        output[f"standard error of {step}"] = ended.stderr

    login = ("login", "--username", NAME)
    run(*login, given=f"{WRONG}\n".encode(), expected=4)
    run(*login, given=f"{PASSWORD}\n".encode())
    credentials()
    for command in ("restore", "status", "audit", "doctor", "outbox"):
        run(command)
    angel.settings(jwt_lifetime=4)
    run(*login, SESSIONKEEPER_PASSWORD=PASSWORD)
    credentials()
    angel.settings(jwt_lifetime=86400)
    time.sleep(4.1)
    run("status")
    run("restore")  # renews
    credentials()
    assert sum(session["renewals"] for session in angel.sessions()) >= 1
    run("request", "POST", GRAPHQL, "--data", ME, "--header", "Content-Type: application/json")
    run("request", "GET", f"https://evil.example/?token={ECHOED}", expected=1)
    run("request", "GET", GRAPHQL, "--header", ECHOED, expected=2)
    run("logout")
    for name, parameters in LOGOUT_FAULTS[int(as_json) :: 5]:
        run(*login, given=f"{PASSWORD}\n".encode())
        credentials()
        angel.fault("/logout", name, **parameters)
        run("logout")
        run("outbox")
        run("outbox", "--drain")
        run("status")
        angel.clear_faults()
    run("outbox", "--drain")
    run("request", "GET", GRAPHQL, expected=3)
    for command in ("outbox", "audit", "doctor", "status"):
        run(command)

    log = (command_line.home / "data" / "sessionkeeper.log").read_text(encoding="utf-8")
    assert "DEBUG" in log
    assert "the login form" in log
    assert plant.leaks(output, command_line.home) == []
