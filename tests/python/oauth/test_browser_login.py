"""Logging in with a browser, at two issuers that nobody here wrote: from the address that it opens
to the session, and what it may bring back instead.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from tests.python.oauth.conftest import Stage
from tests.python.oauth.issuers import DJANGO, OIDC, ROOT, Issuer, audited, wait_for
from tests.servers.fixture import StandIn

pytestmark = pytest.mark.parametrize("issuer", [OIDC, DJANGO], ids=str)

HERE = "http://127.0.0.1/callback"
ELSEWHERE = "https://app.home-demo.example/signed-in"
# Who is registered with which address.
CLIENTS = {HERE: "sessionkeeper-loopback", ELSEWHERE: "sessionkeeper-paste"}
# Whoever answers names itself (RFC 9207).
NAMES_ITSELF = {OIDC: True, DJANGO: False}


class Home:
    """A data directory, and the provider file of one of the clients."""

    def __init__(self, server: StandIn, issuer: Issuer, home: Path, redirect_uri: str) -> None:
        home.mkdir(exist_ok=True)
        self.server = server
        self.issuer = issuer
        self.data = home / "data"
        text = (ROOT / "resources/providers/oidc.toml").read_text(encoding="utf-8")
        login = f'flow = "authorization_code"\nredirect_uris = ["{redirect_uri}"]'
        ways = {
            'flow = "device_code"': login,
            # Without it one of them gives no refresh token.
            "[oauth]\n": '[oauth]\nextra.authorization = { prompt = "consent" }\n',
        }
        for old, new in ways.items():
            assert text.count(old) == 1
            text = text.replace(old, new)
        file = home / "issuer.toml"
        file.write_text(text, encoding="utf-8")
        parameters = {
            "issuer": server.parameters["issuer"],
            "client_id": CLIENTS[redirect_uri],
        }
        self.options: dict[str, Any] = {
            "provider": str(file),
            "parameters": parameters,
            "data_dir": str(self.data),
            "key_dir": str(home / "keys"),
            "ca_file": server.ca_file,
            "resolve": server.resolve,
            "proxy": "none",
            "background": False,
        }
        self.keeper = sessionkeeper.open(**self.options)

    def notes(self) -> list[str]:
        """Of logins that have begun and not ended."""
        return [one for one in os.listdir(self.data) if one.startswith("login-")]

    def check_nothing_is_left(self) -> None:
        assert self.keeper.status().state == "signed_out"
        assert self.keeper.status().pending_revocations == 0
        assert self.notes() == []
        # A code that nobody has exchanged is a session to one of them, until it expires.
        assert 200 not in {one["answer"] for one in self.server.journal(self.issuer.token)}


@pytest.fixture
def here(stage: Stage, server: StandIn, issuer: Issuer, tmp_path: Path) -> Home:
    """The browser ends on this machine."""
    stage.forget(issuer)
    return Home(server, issuer, tmp_path / "here", HERE)


@pytest.fixture
def elsewhere(stage: Stage, server: StandIn, issuer: Issuer, tmp_path: Path) -> Home:
    """The browser ends at a page that is not there."""
    stage.forget(issuer)
    return Home(server, issuer, tmp_path / "elsewhere", ELSEWHERE)


def answer_of(address: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))


def changed(address: str, **values: str | None) -> str:
    """The same address with other parameters; None takes one out."""
    answer = {**answer_of(address), **values}
    query = urllib.parse.urlencode({name: value for name, value in answer.items() if value})
    return urllib.parse.urlsplit(address)._replace(query=query).geturl()


def open_in_browser(address: str) -> int:
    """A browser that is led there. Gives the status of the page."""
    url = urllib.parse.urlsplit(address)
    assert url.hostname is not None
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    try:
        connection.request("GET", f"{url.path}?{url.query}")
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_browser_on_this_machine(server: StandIn, issuer: Issuer, here: Home) -> None:
    keeper, who = here.keeper, StandIn.NON_ASCII
    login = keeper.start_browser_login()
    assert (keeper.status().state, 290 < login.remaining() <= 300) == ("signed_out", True)
    answer = server.authorize(login.url, *who)
    assert answer.startswith(f"{login.redirect_uri}?")
    assert ("iss" in answer_of(answer)) == NAMES_ITSELF[issuer]
    browser = threading.Timer(0.3, open_in_browser, (answer,))
    browser.start()
    session = login.wait()
    browser.join()
    assert session.account.email == who[0]
    assert session.renewable
    assert session.get(issuer.me).json()["email"] == who[0]
    with pytest.raises(OSError, match=r".*"):
        open_in_browser(answer)
    assert (audited(keeper, "login"), here.notes()) == (["ok"], [])
    # It is a session like any other.
    keeper.renew()
    assert session.get(issuer.me).status_code == 200
    assert keeper.logout().remote == "revoked"
    assert not any(one["alive"] for one in server.sessions())


def test_an_address_that_was_pasted(server: StandIn, issuer: Issuer, elsewhere: Home) -> None:
    login = elsewhere.keeper.start_browser_login("paste")
    assert login.redirect_uri == ELSEWHERE
    session = login.finish(f" {server.authorize(login.url)}\n")
    assert session.get(issuer.me).json()["email"] == StandIn.VIEWER[0]
    assert audited(elsewhere.keeper, "login") == ["ok"]
    exchange = next(one for one in server.journal(issuer.token) if one["answer"] == 200)
    assert not any(exchange[name] for name in ("cookies", "bearer", "query"))
    assert elsewhere.keeper.logout().remote == "revoked"
    assert not any(one["alive"] for one in server.sessions())


def test_what_is_no_answer_to_this_login(server: StandIn, issuer: Issuer, elsewhere: Home) -> None:
    login = elsewhere.keeper.start_browser_login("paste")
    other = elsewhere.keeper.start_browser_login("paste")
    right, theirs = server.authorize(login.url), server.authorize(other.url)
    wrong = [
        theirs,
        changed(right, state=answer_of(theirs)["state"]),
        changed(right, state=None),
        right.replace("app.home-demo.example", "app.home-demo.example.evil.example"),
        right.replace("https://", "https://app.home-demo.example@evil.example/"),
        right.replace("/signed-in", "/signed-in/"),
    ]
    for address in wrong:
        with pytest.raises(sessionkeeper.InvalidInput) as caught:
            login.finish(address)
        assert answer_of(right)["code"] not in repr(caught.value)
    assert server.journal(issuer.token) == []
    assert elsewhere.keeper.status().state == "signed_out"
    # Neither login has suffered.
    for one, address in ((other, theirs), (login, right)):
        assert one.finish(address).account.email == StandIn.VIEWER[0]


def test_a_code_of_another_login_and_one_that_was_used(
    server: StandIn, issuer: Issuer, elsewhere: Home
) -> None:
    keeper = elsewhere.keeper
    # Injected: the state is this login's own, the code another's, whose verifier nobody has here.
    stolen = answer_of(server.authorize(keeper.start_browser_login("paste").url))["code"]
    login = keeper.start_browser_login("paste")
    with pytest.raises(sessionkeeper.LoginDenied) as caught:
        login.finish(changed(server.authorize(login.url), code=stolen))
    assert stolen not in repr(caught.value)
    elsewhere.check_nothing_is_left()
    # Replayed: by the same login, and by another one.
    login = keeper.start_browser_login("paste")
    answer = server.authorize(login.url)
    login.finish(answer)
    with pytest.raises(sessionkeeper.InvalidInput):
        login.finish(answer)
    assert keeper.status().state == "signed_in"
    second = keeper.start_browser_login("paste")
    replayed = changed(server.authorize(second.url), code=answer_of(answer)["code"])
    with pytest.raises(sessionkeeper.LoginDenied):
        second.finish(replayed)


def test_a_code_of_another_client(
    server: StandIn, issuer: Issuer, here: Home, elsewhere: Home
) -> None:
    theirs = elsewhere.keeper.start_browser_login("paste")
    code = answer_of(server.authorize(theirs.url))["code"]
    login = here.keeper.start_browser_login("paste")
    state = answer_of(login.url)["state"]
    with pytest.raises(sessionkeeper.LoginDenied) as caught:
        login.finish(f"{HERE}?code={code}&state={state}{iss(server, issuer)}")
    assert code not in repr(caught.value)
    here.check_nothing_is_left()


def iss(server: StandIn, issuer: Issuer) -> str:
    """As the issuer adds it to its answers."""
    named = urllib.parse.quote(server.parameters["issuer"], safe="")
    return f"&iss={named}" if NAMES_ITSELF[issuer] else ""


def test_the_answer_of_another_issuer(server: StandIn, issuer: Issuer, elsewhere: Home) -> None:
    ways: list[str | None] = ["https://evil.example"]
    ways += [None] if NAMES_ITSELF[issuer] else []
    for named in ways:
        login = elsewhere.keeper.start_browser_login("paste")
        answer = server.authorize(login.url)
        with pytest.raises(sessionkeeper.UnexpectedAnswer, match="issuer"):
            login.finish(changed(answer, iss=named))
        with pytest.raises(sessionkeeper.InvalidInput):
            login.finish(answer)
        assert server.journal(issuer.token) == []
        elsewhere.check_nothing_is_left()


def test_a_login_that_is_refused_in_the_browser(
    server: StandIn, issuer: Issuer, elsewhere: Home
) -> None:
    login = elsewhere.keeper.start_browser_login("paste")
    with pytest.raises(sessionkeeper.LoginDenied) as caught:
        login.finish(server.authorize(login.url, deny=True))
    assert caught.value.hint
    assert audited(elsewhere.keeper, "login") == ["login_denied"]
    assert server.journal(issuer.token) == []
    elsewhere.check_nothing_is_left()


def test_without_pkce_these_issuers_give_no_code(
    server: StandIn, issuer: Issuer, elsewhere: Home
) -> None:
    """What the issuer refuses is what we never ask for: a request that somebody has changed."""
    login = elsewhere.keeper.start_browser_login("paste")
    weakened = changed(login.url, code_challenge_method="plain")
    with pytest.raises(sessionkeeper.UnexpectedAnswer, match="invalid_request"):
        login.finish(server.authorize(weakened))
    elsewhere.check_nothing_is_left()


def test_cancelling_closes_the_listener(server: StandIn, issuer: Issuer, here: Home) -> None:
    login = here.keeper.start_browser_login()
    began = time.monotonic()
    with pytest.raises(sessionkeeper.Cancelled):
        login.wait(stop=lambda: time.monotonic() > began + 0.5)
    assert time.monotonic() - began < 2
    wait_for(lambda: not listens(login.redirect_uri))
    wait_for(lambda: not here.notes())
    here.check_nothing_is_left()


def listens(redirect_uri: str) -> bool:
    url = urllib.parse.urlsplit(redirect_uri)
    with socket.socket() as probe:
        return probe.connect_ex((url.hostname, url.port)) == 0


COMMAND_LINE = "import sys; from sessionkeeper.cli import main; sys.exit(main())"


def command_line(home: Home, *arguments: str) -> list[str]:
    options = home.options
    return [
        *(sys.executable, "-c", COMMAND_LINE, "--provider", options["provider"]),
        *("--data-dir", options["data_dir"], "--ca-file", options["ca_file"]),
        *(f"--resolve={one}" for one in options["resolve"]),
        *(f"--parameter={name}={value}" for name, value in options["parameters"].items()),
        *arguments,
    ]


def start_command(home: Home, *arguments: str) -> subprocess.Popen[str]:
    keys = {"XDG_DATA_HOME": str(home.data.parent / "share")}
    gone = {
        "DISPLAY": "",
        "WAYLAND_DISPLAY": "",
        "BROWSER": "",
        "http_proxy": "",
        "https_proxy": "",
    }
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
        command_line(home, *arguments), text=True, env={**os.environ, **gone, **keys}, **pipes
    )


def printed_address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return next(line.strip() for line in process.stderr if "code_challenge=" in line)


def test_the_command_line(server: StandIn, issuer: Issuer, here: Home, elsewhere: Home) -> None:
    with start_command(here, "login", "--browser", "--json") as process:
        assert open_in_browser(server.authorize(printed_address(process))) == 200
        shown, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        assert json.loads(shown)["account"]["email"] == StandIn.VIEWER[0]
    with start_command(elsewhere, "login", "--paste", "--json") as process:
        answer = server.authorize(printed_address(process))
        shown, said = process.communicate(answer + "\n", timeout=30)
        assert process.returncode == 0, said
        assert json.loads(shown)["account"]["email"] == StandIn.VIEWER[0]
        assert answer_of(answer)["code"] not in shown + said


def test_a_command_line_that_is_killed(server: StandIn, issuer: Issuer, here: Home) -> None:
    with start_command(here, "login", "--browser") as process:
        address = printed_address(process)
        redirect_uri = answer_of(address)["redirect_uri"]
        wait_for(lambda: bool(here.notes()))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
    assert not listens(redirect_uri)
    with start_command(here, "outbox", "--drain", "--json") as process:
        process.communicate(timeout=30)
        assert process.returncode == 0
    here.check_nothing_is_left()
