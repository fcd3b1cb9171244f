"""A service that asks for a second thing: a real TOTP by the time of day, and a code by mail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper import Question
from tests.python.conftest import CommandLine
from tests.servers.fixture import StandIn
from tests.servers.two_step import totp

FILE = Path(__file__).with_name("provider.toml")
PAGES = Path(__file__).with_name("pages.toml")
ME = "https://id.two-step-demo.example/v1/me"

Open = Callable[..., sessionkeeper.Keeper]


@pytest.fixture
def server(stand_in: Callable[[str], StandIn]) -> StandIn:
    return stand_in("two-step").reset()


@pytest.fixture
def opened(server: StandIn, tmp_path: Path) -> Open:
    def give(device: str = "device", file: Path = FILE, **more: object) -> sessionkeeper.Keeper:
        places = {"data_dir": tmp_path / device / "data", "key_dir": tmp_path / device / "keys"}
        return sessionkeeper.open(file, **places, **server.options(), **more)

    return give


@pytest.fixture
def app() -> Callable[[], str]:
    """The viewer's app. A code serves once, so each call gives that of a later step."""
    used = totp.step(time.time()) - 2

    def code() -> str:
        nonlocal used
        used = max(used + 1, totp.step(time.time()) - 1)
        while used > totp.step(time.time()) + 1:
            time.sleep(0.5)
        return totp.code(used)

    return code


class Asked:
    """Answers with what it was given, in turn, and keeps the questions."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.questions: list[Question] = []

    def __call__(self, question: Question) -> Any:
        self.questions.append(question)
        answer = self.answers.pop(0)
        return answer() if callable(answer) else answer


def mailed(server: StandIn) -> str:
    code: str = server.sessions()[-1]["mailed"]
    return code


def alive(server: StandIn) -> list[bool]:
    return [one["alive"] for one in server.sessions()]


def notes(tmp_path: Path, device: str = "device") -> list[Path]:
    return list((tmp_path / device / "data").glob("login-*"))


# The vectors of RFC 6238 appendix B, of which an app shows the last six digits.
@pytest.mark.parametrize(
    ("now", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_app_makes_the_codes_of_the_rfc(now: int, code: str) -> None:
    assert totp.code(totp.step(now), digits=8) == code
    assert totp.step_of(code[2:], now) == totp.step(now)
    assert totp.step_of(code[2:], now + 3 * totp.PERIOD) is None


def test_the_check_finds_nothing() -> None:
    found = sessionkeeper.check_provider(FILE)
    assert (found.problems, found.advice[1:]) == ((), ())
    told = "".join(found.summary)
    assert "May ask for the code from your authenticator app" in told


def test_a_login_with_the_code_of_the_app(
    server: StandIn, opened: Open, app: Callable[[], str], tmp_path: Path
) -> None:
    keeper, asked = opened(), Asked(app)
    session = keeper.login(*server.VIEWER, answer=asked)
    about = "the code from your authenticator app"
    question = asked.questions[0]
    assert question == Question("totp", about, 3, False, question.expires_at)
    assert 290 < question.expires_at - time.time() <= 300
    assert session.get(ME).json()["email"] == server.VIEWER[0]
    assert notes(tmp_path) == []
    restored = opened().restore()
    assert restored is not None
    assert keeper.logout().remote == "revoked"
    assert alive(server) == [False]


def test_a_login_with_a_code_by_mail(server: StandIn, opened: Open) -> None:
    asked = Asked(lambda: f" {mailed(server)[:3]} {mailed(server)[3:]}\n")
    session = opened().login(*server.NON_ASCII, answer=asked)
    assert [one.kind for one in asked.questions] == ["mail"]
    assert session.get(ME).json()["email"] == server.NON_ASCII[0]


def test_a_wrong_code_is_asked_for_again(
    server: StandIn, opened: Open, app: Callable[[], str]
) -> None:
    asked = Asked("000000", b"000001", app)
    opened().login(*server.VIEWER, answer=asked)
    told = [(one.tries_left, one.again) for one in asked.questions]
    assert told == [(3, False), (2, True), (1, True)]
    assert [one["wrong"] for one in server.sessions()] == [2]


def test_three_wrong_codes_end_the_login(server: StandIn, opened: Open, tmp_path: Path) -> None:
    keeper, asked = opened(), Asked("000000", "000001", "000002", "000003")
    with pytest.raises(sessionkeeper.AnswerRefused) as caught:
        keeper.login(*server.VIEWER, answer=asked)
    assert isinstance(caught.value, sessionkeeper.CredentialsRefused)
    assert asked.answers == ["000003"]
    assert (alive(server), keeper.session, keeper.outbox()) == ([False], None, [])
    assert notes(tmp_path) == []


def test_a_code_serves_once(server: StandIn, opened: Open, app: Callable[[], str]) -> None:
    code = app()
    opened().login(*server.VIEWER, answer=Asked(code))
    asked = Asked(code, app)
    opened("other").login(*server.VIEWER, answer=asked)
    assert [one.again for one in asked.questions] == [False, True]


def test_an_answer_that_comes_too_late(
    server: StandIn, opened: Open, app: Callable[[], str], tmp_path: Path
) -> None:
    def late() -> str:
        server.settings(clock_offset=301)
        return app()

    keeper = opened()
    with pytest.raises(sessionkeeper.CodeExpired):
        keeper.login(*server.VIEWER, answer=Asked(late))
    assert (alive(server), keeper.outbox(), notes(tmp_path)) == ([False], [], [])


def test_giving_up_ends_what_the_server_has_begun(
    server: StandIn, opened: Open, tmp_path: Path
) -> None:
    seen: list[list[bool]] = []

    def look() -> None:
        seen.append(alive(server))

    keeper = opened()
    with pytest.raises(sessionkeeper.Cancelled):
        keeper.login(*server.VIEWER, answer=Asked(look))
    assert (seen, alive(server)) == ([[True]], [False])
    assert (keeper.session, keeper.outbox(), notes(tmp_path)) == (None, [], [])
    assert server.journal("/v1/code") == []


def test_giving_up_without_a_network_is_told_later(
    server: StandIn, opened: Open, tmp_path: Path
) -> None:
    def leave() -> None:
        server.settings(listening=False)

    keeper = opened()
    begun = time.monotonic()
    with pytest.raises(sessionkeeper.Cancelled):
        keeper.login(*server.VIEWER, answer=Asked(leave))
    assert time.monotonic() - begun < 5
    assert len(keeper.outbox()) == 1
    server.settings(listening=True)
    assert keeper.drain().revoked == 1
    assert (alive(server), notes(tmp_path)) == ([False], [])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("", sessionkeeper.InvalidInput),
        ("12\n34", sessionkeeper.InvalidInput),
        ("\ud800", sessionkeeper.InvalidInput),
        (123456, sessionkeeper.InvalidInput),
        (b"\xff", sessionkeeper.InvalidInput),
        (lambda: 1 / 0, ZeroDivisionError),
        (lambda: sys.exit(3), SystemExit),
    ],
)
def test_what_is_no_answer_ends_the_login(
    server: StandIn, opened: Open, tmp_path: Path, answer: Any, error: type[BaseException]
) -> None:
    keeper = opened()
    with pytest.raises(error):
        keeper.login(*server.VIEWER, answer=Asked(answer))
    assert (alive(server), keeper.outbox(), notes(tmp_path)) == ([False], [], [])


def test_a_stop_while_somebody_types_ends_the_login(server: StandIn, opened: Open) -> None:
    is_stopped = False

    def stop() -> str:
        nonlocal is_stopped
        is_stopped = True
        return "123456"

    server.fault("/v1/code", "delay", delay=3)
    keeper = opened()
    with pytest.raises(sessionkeeper.Cancelled):
        keeper.login(*server.VIEWER, answer=Asked(stop), stop=lambda: is_stopped)
    wait_until(lambda: alive(server) == [False])


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_without_a_function_the_question_is_an_error(server: StandIn, opened: Open) -> None:
    keeper = opened()
    with pytest.raises(sessionkeeper.AnswerNeeded, match="authenticator app") as caught:
        keeper.login(*server.VIEWER)
    assert "answer=" in caught.value.hint
    assert (alive(server), keeper.outbox()) == ([False], [])


def test_a_wrong_password_is_nobody_s_question(server: StandIn, opened: Open) -> None:
    asked = Asked()
    with pytest.raises(sessionkeeper.CredentialsRefused) as caught:
        opened().login(server.VIEWER[0], "wrong", answer=asked)
    assert type(caught.value) is sessionkeeper.CredentialsRefused
    assert (asked.questions, server.sessions()) == ([], [])


def test_restore_or_login_asks_as_well(
    server: StandIn, opened: Open, app: Callable[[], str]
) -> None:
    asked = Asked(app)
    for _ in range(2):
        session = opened().restore_or_login(lambda: server.VIEWER, answer=asked)
        assert session.account.email == server.VIEWER[0]
    assert len(asked.questions) == 1


def test_two_logins_at_once(server: StandIn, opened: Open, app: Callable[[], str]) -> None:
    """One is asked while the other is; a renewal or a login does not wait for who types."""
    keeper, inner = opened(), Asked(lambda: mailed(server))

    def meanwhile() -> str:
        begun = time.monotonic()
        opened().login(*server.NON_ASCII, answer=inner)
        assert time.monotonic() - begun < 5
        return app()

    session = keeper.login(*server.VIEWER, answer=Asked(meanwhile))
    assert session.account.email == server.VIEWER[0]
    emails = {one.account.email for one in keeper.accounts()}
    assert emails == {server.VIEWER[0], server.NON_ASCII[0]}
    assert alive(server) == [True, True]


CHILD = """
import json, sys, time
import sessionkeeper
options, name, word = json.load(sys.stdin)
def ask(question):
    print("asked", flush=True)
    time.sleep(60)
sessionkeeper.open(**options).login(name, word, answer=ask)
"""


def test_a_kill_between_question_and_answer_leaves_nothing(
    server: StandIn, opened: Open, tmp_path: Path
) -> None:
    places = {"data_dir": tmp_path / "device" / "data", "key_dir": tmp_path / "device" / "keys"}
    options = {name: str(path) for name, path in places.items()}
    options = {"provider": str(FILE), "background": False, **options, **server.options()}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        json.dump([options, *server.VIEWER], child.stdin)
        child.stdin.close()
        assert child.stdout.readline() == "asked\n"
        assert len(notes(tmp_path)) == 1
        child.kill()
    assert alive(server) == [True]
    keeper = opened()
    assert keeper.drain().revoked == 1
    assert (alive(server), keeper.session, notes(tmp_path)) == ([False], None, [])


def test_nothing_tells_the_answer(server: StandIn, opened: Open, tmp_path: Path) -> None:
    answers = [f"canary-{number}-réponse" for number in range(3)]
    keeper, asked = opened(log_level="debug"), Asked(*answers)
    with pytest.raises(sessionkeeper.AnswerRefused) as caught:
        keeper.login(*server.VIEWER, answer=asked)
    told = repr((caught.value.as_dict(), keeper.take_log(), keeper.audit(), keeper.events()))
    assert "asks for something more" in told
    assert "canary" not in told + repr(asked.questions)
    for file in (tmp_path / "device").rglob("*"):
        assert not file.is_file() or b"canary" not in file.read_bytes()


# The same by forms and pages


def test_pages_ask_until_the_code_is_right(
    server: StandIn, opened: Open, app: Callable[[], str], tmp_path: Path
) -> None:
    asked = Asked("000000", app)
    keeper = opened(file=PAGES)
    session = keeper.login(*server.VIEWER, answer=asked)
    told = [(one.kind, one.tries_left, one.again) for one in asked.questions]
    assert told == [("text", 3, False), ("text", 2, True)]
    assert session.account.email == server.VIEWER[0]
    assert keeper.logout().remote == "revoked"
    assert (alive(server), notes(tmp_path)) == ([False], [])


def test_pages_end_the_login_after_three_wrong_codes(server: StandIn, opened: Open) -> None:
    keeper = opened(file=PAGES)
    with pytest.raises(sessionkeeper.AnswerRefused):
        keeper.login(*server.VIEWER, answer=Asked("1", "2", "3"))
    assert (alive(server), keeper.outbox()) == ([False], [])


def test_pages_send_back_to_the_start_when_it_is_too_late(server: StandIn, opened: Open) -> None:
    def late() -> str:
        server.settings(clock_offset=301)
        return "1"

    with pytest.raises(sessionkeeper.CodeExpired):
        opened(file=PAGES).login(*server.VIEWER, answer=Asked(late))
    assert alive(server) == [False]


def test_pages_refuse_a_wrong_password_without_a_question(server: StandIn, opened: Open) -> None:
    asked = Asked()
    with pytest.raises(sessionkeeper.CredentialsRefused):
        opened(file=PAGES).login(server.VIEWER[0], "wrong", answer=asked)
    assert asked.questions == []


def test_giving_up_at_a_page_ends_what_the_server_has_begun(
    server: StandIn, opened: Open, tmp_path: Path
) -> None:
    keeper = opened(file=PAGES)
    with pytest.raises(sessionkeeper.Cancelled):
        keeper.login(*server.VIEWER, answer=Asked(None))
    assert (alive(server), keeper.outbox(), notes(tmp_path)) == ([False], [], [])


# The command line


@pytest.fixture
def command_line(server: StandIn, tmp_path: Path) -> CommandLine:
    home = tmp_path / "home"
    home.mkdir()
    line = CommandLine(home, server)
    line.arguments += ["--provider", str(FILE)]
    return line


def test_the_second_line_of_the_input_is_the_answer(
    server: StandIn, command_line: CommandLine, app: Callable[[], str]
) -> None:
    given = f"{server.VIEWER[1]}\n{app()}\n".encode()
    status = command_line.json("login", "--username", server.VIEWER[0], given=given)
    assert status["state"] == "signed_in"


def test_an_answer_from_the_environment(
    server: StandIn, command_line: CommandLine, app: Callable[[], str]
) -> None:
    name, word = server.VIEWER
    secrets = {"SESSIONKEEPER_PASSWORD": word, "SESSIONKEEPER_ANSWER": "000000"}
    ended = command_line.run("login", "--username", name, **secrets)
    assert (ended.returncode, ended.stdout) == (4, b"")
    assert b"SESSIONKEEPER_ANSWER" in ended.stderr
    assert [one["wrong"] for one in server.sessions()] == [1], "it is not tried again"
    secrets["SESSIONKEEPER_ANSWER"] = app()
    ended = command_line.run("login", "--username", name, **secrets)
    assert ended.returncode == 0, ended.stderr
    assert alive(server) == [False, True]


def test_an_input_without_an_answer(server: StandIn, command_line: CommandLine) -> None:
    given = f"{server.VIEWER[1]}\n".encode()
    shown = command_line.json("login", "--username", server.VIEWER[0], given=given, exit_status=4)
    assert shown["error"]["code"] == "answer_needed"
    assert "SESSIONKEEPER_ANSWER" in shown["error"]["hint"]
    assert alive(server) == [False]


@pytest.fixture
def terminal(server: StandIn, command_line: CommandLine) -> Iterator[Terminal]:
    with Terminal(
        command_line.command("login", "--username", server.VIEWER[0]), command_line
    ) as it:
        yield it


class Terminal:
    """A process at a terminal of its own."""

    def __init__(self, command: list[str], line: CommandLine) -> None:
        self.ours, theirs = os.openpty()
        self.text = ""
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**line.environment, "TERM": "dumb"},
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.ours)

    def wait_for(self, words: str) -> None:
        while words not in self.text:
            self.text += os.read(self.ours, 1000).decode()

    def type(self, words: str) -> None:
        os.write(self.ours, f"{words}\n".encode())


def test_the_prompt_asks_again(server: StandIn, terminal: Terminal, app: Callable[[], str]) -> None:
    terminal.wait_for("Password: ")
    terminal.type(server.VIEWER[1])
    terminal.wait_for("The code from your authenticator app: ")
    terminal.type("000000")
    terminal.wait_for("That was not accepted. 2 more tries.")
    terminal.type(app())
    assert terminal.process.wait(30) == 0
    assert server.VIEWER[1] not in terminal.text


def test_ctrl_c_at_the_prompt_ends_the_login(server: StandIn, terminal: Terminal) -> None:
    terminal.wait_for("Password: ")
    terminal.type(server.VIEWER[1])
    terminal.wait_for("authenticator app: ")
    assert alive(server) == [True]
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.process.wait(10) == 130
    assert alive(server) == [False]
