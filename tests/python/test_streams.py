"""Requests as porters know them, with the real module against the stand-in: deadlines, redirects,
large answers, and answers that are read piece by piece.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable

import pytest

import sessionkeeper
from tests.servers.fixture import StandIn

PAGE = "https://www.angel.com/account"
API = "https://api.angelstudios.com/graphql"
MIB = 1 << 20
NAME, PASSWORD = StandIn.VIEWER


@pytest.fixture
def session(keeper: sessionkeeper.Keeper) -> sessionkeeper.Session:
    return keeper.login(NAME, PASSWORD)


def client_left(angel: StandIn, path: str = "/account") -> bool:
    """Whether the last request's client closes its connection within 2 s."""
    until = time.monotonic() + 2
    while time.monotonic() < until:
        if angel.journal(path)[-1]["left_after"] is not None:
            return True
        time.sleep(0.02)
    return False


# One request, whole


@pytest.mark.parametrize("timeout", [1, (1, 0.5)])
def test_a_timeout_ends_a_server_that_drips(
    angel: StandIn, session: sessionkeeper.Session, timeout: Any
) -> None:
    angel.fault("/account", "slow_loris", interval=0.1)
    began = time.monotonic()
    with pytest.raises(sessionkeeper.Timeout):
        session.get(PAGE, timeout=timeout)
    assert time.monotonic() - began < 2.2


def test_a_redirect_is_handed_over(angel: StandIn, session: sessionkeeper.Session) -> None:
    angel.fault("/account", "status:302", location="https://www.angel.com/watch")
    angel.clear_journal()
    answer = session.get(PAGE, allow_redirects=False)
    assert (answer.status_code, answer.reason) == (302, "Found")
    assert answer.headers["Location"] == "https://www.angel.com/watch"
    assert session.head(PAGE).status_code == 302
    assert not angel.journal("/watch")
    assert session.get(PAGE).url == "https://www.angel.com/watch"


def test_a_body_of_64_mib_is_taken_and_none_that_is_longer(
    angel: StandIn, session: sessionkeeper.Session
) -> None:
    angel.fault("/account", "large_body", size=64 * MIB, times=1)
    assert len(session.get(PAGE, timeout=120).content) == 64 * MIB
    angel.fault("/account", "large_body", size=65 * MIB)
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="larger than 64 MiB") as caught:
        session.get(PAGE, timeout=120)
    assert "max_body" in caught.value.hint


def test_the_longest_body_is_the_callers_choice(
    angel: StandIn, open_keeper: Callable[..., sessionkeeper.Keeper]
) -> None:
    session = open_keeper(max_body=100_000).login(NAME, PASSWORD)
    angel.fault("/account", "large_body", size=128 << 10)
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="larger than 100000 bytes"):
        session.get(PAGE)
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="larger than 100000 bytes"):
        _ = session.get(PAGE, stream=True).content
    for wrong in (0, -1, "1", 1.5):
        with pytest.raises(sessionkeeper.InvalidInput, match="max_body"):
            open_keeper(max_body=wrong)


def test_usual_headers_arrive_and_credentials_are_not_among_them(
    angel: StandIn, open_keeper: Callable[..., sessionkeeper.Keeper]
) -> None:
    session = open_keeper(headers={"User-Agent": "film/1", "X-App": "a"}).login(NAME, PASSWORD)
    angel.clear_journal()
    session.get(PAGE, headers={"x-app": "b"})
    sent = {name.lower(): value for name, value in angel.journal("/account")[0]["headers"].items()}
    assert (sent["user-agent"], sent["x-app"]) == ("film/1", "b")
    assert set(session.headers) == {"Authorization", "User-Agent", "X-App"}
    for name in ("Authorization", "cookie", "Host"):
        with pytest.raises(sessionkeeper.InvalidInput, match=name.lower()) as caught:
            open_keeper(headers={name: "canary"})
        assert "Leave it out" in caught.value.hint
        with pytest.raises(sessionkeeper.InvalidInput, match=name.lower()) as caught:
            session.get(PAGE, headers={name: "canary"})
        assert "canary" not in f"{caught.value}{caught.value.hint}"
    assert len(angel.journal("/account")) == 1


@pytest.mark.parametrize("way", ["401", "errors"])
def test_an_answer_says_that_the_session_is_over(
    angel: StandIn, session: sessionkeeper.Session, way: str
) -> None:
    angel.settings(graphql_unauthenticated=way)
    query = {"query": "{ me { email } }"}
    assert session.post(API, json=query).is_unauthenticated is False
    angel.end_session(angel.sessions()[-1]["id"])
    with pytest.raises(sessionkeeper.SessionExpired) as caught:
        session.post(API, json=query)
    assert caught.value.response.is_unauthenticated is True


def test_a_bad_status_is_an_error_with_its_response(
    angel: StandIn, session: sessionkeeper.Session
) -> None:
    angel.fault("/account", "status:503", body="not now")
    with pytest.raises(sessionkeeper.HttpError, match="503") as caught:
        session.get(PAGE).raise_for_status()
    assert caught.value.status_code == caught.value.response.status_code == 503
    assert caught.value.response.text == "not now"


# Piece by piece

VICTIM = """
import json, re, sys, sessionkeeper
keeper = sessionkeeper.open("angel", **json.loads(sys.argv[1]))
session = keeper.restore()
session.get(%r).content
def peak():
    with open("/proc/self/status") as file:
        return int(re.search(r"VmHWM:\\s*(\\d+) kB", file.read()).group(1)) * 1024
before, read = peak(), 0
with session.get(%r, stream=True) as answer:
    for piece in answer.iter_content(16384):
        assert len(piece) <= 16384
        read += len(piece)
print(json.dumps([read, peak() - before]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks into /proc")
def test_a_stream_of_200_mib_is_not_held(
    angel: StandIn, session: sessionkeeper.Session, options: dict[str, Any]
) -> None:
    assert session.account.email == NAME
    size = 200 * MIB
    angel.fault("/account", "large_body", size=size)
    ended = subprocess.run(
        [
            *(sys.executable, "-c", VICTIM % ("https://www.angel.com/watch", PAGE)),
            json.dumps(options),
        ],
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    read, grown = json.loads(ended.stdout)
    assert read == size
    assert grown < 16 * MIB, f"{grown / MIB:.1f} MiB"


def test_pieces_and_lines_arrive_as_they_are_sent(
    angel: StandIn, session: sessionkeeper.Session
) -> None:
    whole = session.get(PAGE)
    for size in (1, 7, 65536, None):
        answer = session.get(PAGE, stream=True)
        assert answer.status_code == 200
        pieces = list(answer.iter_content(size))
        assert b"".join(pieces) == whole.content
        assert size is None or max(map(len, pieces)) <= size
        assert list(answer.iter_content(size)) == []
        for again in (lambda answer=answer: answer.content, answer.json):
            with pytest.raises(sessionkeeper.InvalidInput, match="read piece by piece") as caught:
                again()
            assert "stream=True" in caught.value.hint
    lines = whole.text.splitlines()
    assert list(session.get(PAGE, stream=True).iter_lines(3, decode_unicode=True)) == lines
    assert list(session.get(PAGE).iter_lines()) == [line.encode() for line in lines]
    begun = session.get(PAGE, stream=True)
    first = next(begun.iter_content(5))
    assert first + begun.content == whole.content
    assert session.get(PAGE, stream=True).text == whole.text


def test_a_stream_is_given_back(angel: StandIn, session: sessionkeeper.Session) -> None:
    def close(answer: sessionkeeper.Response) -> None:
        answer.close()
        answer.close()

    def leave(answer: sessionkeeper.Response) -> None:
        with answer:
            pass

    def forget(answer: sessionkeeper.Response) -> None:
        """The only reference is the caller's."""

    angel.fault("/account", "stall_body")
    for give_back in (close, leave, forget):
        angel.clear_journal()
        give_back(session.get(PAGE, stream=True))
        gc.collect()
        assert client_left(angel), give_back.__name__
    closed = session.get(PAGE, stream=True)
    closed.close()
    with pytest.raises(sessionkeeper.InvalidInput, match="nothing left to read"):
        _ = closed.content


def test_nothing_comes_after_a_close(session: sessionkeeper.Session) -> None:
    answer = session.get(PAGE, stream=True)
    pieces = answer.iter_content(1)
    assert len(next(pieces)) == 1
    answer.close()
    assert list(pieces) == []
    for rest in (lambda: answer.content, answer.json):
        with pytest.raises(sessionkeeper.InvalidInput, match="it was closed before"):
            rest()


def test_an_empty_body_is_no_error(angel: StandIn, session: sessionkeeper.Session) -> None:
    angel.fault("/account", "status:204", body="")
    assert session.get(PAGE, stream=True).content == b""


def test_stop_ends_a_read(angel: StandIn, session: sessionkeeper.Session) -> None:
    angel.fault("/account", "stall_body")
    began = time.monotonic()
    asked: list[float] = []

    def stop() -> bool:
        asked.append(time.monotonic() - began)
        return len(asked) > 4

    answer = session.get(PAGE, stream=True, stop=stop)
    asked.clear()
    pieces = answer.iter_content()
    began = time.monotonic()
    with pytest.raises(sessionkeeper.Cancelled):
        list(pieces)
    assert time.monotonic() - began < 1.5
    assert all(later - sooner < 0.2 for sooner, later in zip(asked, asked[1:])), asked
    with pytest.raises(sessionkeeper.InvalidInput):
        _ = answer.content
    assert client_left(angel)


def test_other_threads_run_while_one_reads(angel: StandIn, session: sessionkeeper.Session) -> None:
    angel.fault("/account", "stall_body")
    done, ticks = threading.Event(), []

    def tick() -> None:
        while not done.wait(0.01):
            ticks.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    answer = session.get(PAGE, stream=True, timeout=1)
    ticker.start()
    with pytest.raises(sessionkeeper.Timeout):
        list(answer.iter_content())
    done.set()
    ticker.join()
    assert len(ticks) > 40, f"{len(ticks)} ticks in 1 s"
    assert max(b - a for a, b in zip(ticks, ticks[1:])) < 0.3


def test_a_logout_ends_a_stream(
    angel: StandIn, keeper: sessionkeeper.Keeper, session: sessionkeeper.Session
) -> None:
    angel.fault("/account", "stall_body")
    answer = session.get(PAGE, stream=True)
    unread = session.get(PAGE, stream=True)
    timer = threading.Timer(0.3, keeper.logout)
    timer.start()
    began = time.monotonic()
    with pytest.raises(sessionkeeper.NotSignedIn):
        list(answer.iter_content())
    assert time.monotonic() - began < 2
    timer.join()
    with pytest.raises(sessionkeeper.NotSignedIn):
        list(unread.iter_lines())
    assert client_left(angel)
    assert keeper.login(NAME, PASSWORD).get("https://www.angel.com/watch").ok


def test_a_refusal_is_renewed_before_the_stream_begins(
    angel: StandIn, session: sessionkeeper.Session
) -> None:
    angel.fault("/account", "status:401", times=1)
    with session.get(PAGE, stream=True) as answer:
        assert (answer.status_code, answer.is_unauthenticated) == (200, False)
        assert NAME in answer.text


# Signed in, or not


def test_credentials_are_asked_for_when_nobody_is_signed_in(
    angel: StandIn, open_keeper: Callable[..., sessionkeeper.Keeper]
) -> None:
    asked: list[str] = []

    def credentials() -> tuple[str, str]:
        asked.append("asked")
        return NAME, PASSWORD

    for _ in range(2):
        assert open_keeper().restore_or_login(credentials).get(PAGE).ok
        assert open_keeper().restore_or_login(credentials=credentials).account.email == NAME
        assert asked == ["asked"]
    assert open_keeper().logout().remote == "revoked"
    assert open_keeper().restore_or_login(credentials).get(PAGE).ok
    assert len(asked) == 2


def test_a_session_that_is_over_asks_as_well(angel: StandIn, keeper: sessionkeeper.Keeper) -> None:
    angel.settings(jwt_lifetime=2)
    keeper.login(NAME, PASSWORD)
    angel.end_session(angel.sessions()[-1]["id"])
    time.sleep(2.1)
    angel.settings(jwt_lifetime=86400)
    assert keeper.restore_or_login(lambda: (NAME, PASSWORD)).get(PAGE).ok


def test_without_an_answer_nobody_logs_in(angel: StandIn, keeper: sessionkeeper.Keeper) -> None:
    with pytest.raises(sessionkeeper.NotSignedIn):
        keeper.restore_or_login(lambda: None)
    for wrong in (("name",), "ab", 1):
        with pytest.raises(sessionkeeper.InvalidInput, match="a user name and a password"):
            keeper.restore_or_login(lambda wrong=wrong: wrong)
    with pytest.raises(ZeroDivisionError):
        keeper.restore_or_login(lambda: 1 // 0)  # type: ignore[arg-type,return-value]
    assert not angel.journal("/u/login")
    with pytest.raises(sessionkeeper.CredentialsRefused):
        keeper.restore_or_login(lambda: (NAME, "wrong"))
