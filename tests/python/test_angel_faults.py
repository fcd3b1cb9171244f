"""The stand-in's faults: does each go wrong in the way it promises?"""

from __future__ import annotations

import re
import ssl
import time
from pathlib import Path

import pytest

from tests import servers
from tests.servers.browser import (
    FOUR,
    LOGIN,
    LOGOUT,
    Browser,
    ask,
    dial,
    is_reset,
    read_all,
)
from tests.servers.fixture import StandIn

# Faults that are proper HTTP


@pytest.mark.parametrize(
    ("fault", "location", "deleted"),
    [
        ("no_location", None, 4),
        ("empty_location", "", 4),
        ("wrong_location", "https://www.angel.com/error?reason=logout_failed", 4),
        ("evil_host", "https://evil.example/collect", 4),
        ("evil_port", "https://auth.angel.com:4443/logout", 4),
        ("evil_http", "http://auth.angel.com/logout", 4),
        ("evil_userinfo", "https://auth.angel.com@evil.example/logout", 4),
        ("evil_scheme_relative", "//evil.example/logout", 4),
        ("evil_backslash", "https://evil.example\\@auth.angel.com/logout", 4),
        ("evil_crlf", "https://auth.angel.com/", 5),
        ("redirect_loop", "https://auth.angel.com/logout", 4),
        ("partial_deletion", LOGIN, 3),
        ("no_deletion", LOGIN, 0),
        ("deletion_other_path", LOGIN, 4),
        ("deletion_other_domain", LOGIN, 4),
    ],
)
def test_answers_that_prove_nothing(
    server: StandIn, browser: Browser, fault: str, location: str | None, deleted: int
) -> None:
    before = browser.cookies()
    server.fault("/logout", fault)
    answer = browser.get(LOGOUT, follow=False)
    assert answer.status == 302
    assert answer.headers["location"] == location
    assert len(answer.set_cookies) == deleted
    assert server.check(cookies=before), "the session lives"
    if fault.startswith("deletion_other"):
        assert set(browser.cookies()) >= FOUR


# Faults below HTTP


@pytest.mark.parametrize(
    ("fault", "before"),
    [
        ("reset_after_read", rb"$"),
        ("mid_headers_reset", rb"(?s)HTTP/1.1 302 (?!.*\r\n\r\n)"),
        ("mid_body_reset", rb"(?s)HTTP/1.1 302 .*\r\n\r\n<html>(?!.*</html>)"),
    ],
)
def test_resets(server: StandIn, browser: Browser, fault: str, before: bytes) -> None:
    server.fault("/logout", fault)
    with pytest.raises(ConnectionResetError) as caught:
        ask(server)
    assert re.match(before, caught.value.args[0])
    assert server.check(cookies=browser.cookies())
    assert len(server.journal("/logout")) == 1


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        ("fin_without_answer", rb"^$"),
        ("100_continue_only", rb"^HTTP/1.1 100 Continue\r\n\r\n$"),
        ("malformed_status_line", rb"^HTTP/1.1 Found 302\r\n"),
        ("two_content_lengths", rb"(?s)content-length: (\d+)\r\n.*content-length: (?!\1)\d+"),
        ("cl_and_te", rb"(?s)content-length: \d+\r\n.*transfer-encoding: chunked\r\n"),
        ("header_1mib", rb"x-filler: x{1048576}\r\n"),
        ("headers_10000", rb"x-filler-9999: x\r\n"),
        ("obs_fold", rb"x-folded: one\r\n two\r\n"),
        ("nul_in_header", rb"x-nul: a\x00b\r\n"),
        ("bare_lf", rb"^HTTP/1.1 302 Found\n[^\r]*\n\n"),
        ("http09", rb"^<html>"),
        ("wrong_encoding", rb"(?s)content-encoding: gzip\r\n.*<html>"),
        ("many_cookies", rb"set-cookie: filler_4999=x"),
        ("gzip_bomb", rb"(?s)content-encoding: gzip\r\n.*\r\n\r\n\x1f\x8b"),
    ],
)
def test_spoilt_answers(server: StandIn, fault: str, pattern: bytes) -> None:
    server.fault("/logout", fault)
    assert re.search(pattern, ask(server))


def test_raw_answer_and_103(server: StandIn) -> None:
    server.fault("/logout", "raw", answer="HTTP/1.1 200 OK\r\n\r\n", times=1)
    assert ask(server) == b"HTTP/1.1 200 OK\r\n\r\n"
    server.fault("/logout", "103_then_reset")
    with pytest.raises(ConnectionResetError):
        ask(server)


@pytest.mark.parametrize("fault", ["hang", "stall_headers", "stall_body", "slow_loris"])
def test_waiting_faults_end_with_the_client(server: StandIn, fault: str) -> None:
    server.fault("/logout", fault, interval=0.05)
    with dial(server, "auth.angel.com", timeout=0.2) as tls:
        tls.sendall(b"GET /logout?client_id=angel_web HTTP/1.1\r\nHost: auth.angel.com\r\n\r\n")
        got = read_all(tls, 0.3)
    assert (got == b"") == (fault == "hang")
    deadline = time.monotonic() + 2
    while server.journal("/logout")[0]["left_after"] is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert 0.1 < server.journal("/logout")[0]["left_after"] < 2


def test_endless_body_is_let_go(server: StandIn) -> None:
    server.fault("/logout", "body_endless", size=1 << 20)
    assert len(ask(server)) > 1 << 20
    server.clear_faults()
    assert b" 302 " in ask(server)


# Connections and TLS


@pytest.mark.parametrize("fault", ["refuse", "reset_before", "stall_handshake"])
def test_connection_faults(server: StandIn, fault: str) -> None:
    server.fault("*", fault, host="auth.angel.com", times=1)
    assert b" 421 " in ask(server, host="unknown.example"), "other hosts are spared"
    if fault == "reset_before":
        with dial(server, "auth.angel.com") as tls:
            assert tls.recv(1) == b""
            assert is_reset(tls)
    else:
        wanted = TimeoutError if fault == "stall_handshake" else (ssl.SSLError, ConnectionError)
        with pytest.raises(wanted):
            dial(server, "auth.angel.com", timeout=0.3)
    assert [one["ended"] for one in server.connections()] == [fault]
    assert b" 302 " in ask(server), "only once"


@pytest.mark.parametrize(
    ("tls", "complaint"),
    [
        ("expired", "expired"),
        ("not_yet_valid", "not yet valid"),
        ("wrong_host", "Hostname mismatch"),
        ("self_signed", "self-signed|self signed"),
        ("unknown_ca", "unable to get local issuer|self-signed|self signed"),
        ("old_version", "version|VERSION"),
    ],
)
def test_certificate_faults(server: StandIn, tls: str, complaint: str) -> None:
    server.fault("*", f"tls_{tls}", times=1)
    with pytest.raises(ssl.SSLError, match=complaint):
        ask(server)
    server.settings(tls=tls)
    with pytest.raises(ssl.SSLError, match=complaint):
        ask(server)
    assert not server.journal()
    server.settings(tls="")
    assert b" 302 " in ask(server)


# All of them


def test_every_fault_is_documented(server: StandIn) -> None:
    table = Path(servers.__file__).with_name("front").joinpath("__init__.py").read_text("utf-8")
    words = set(re.findall(r"[\w:]+", table))
    known = {"status:CODE" if name == "status" else name for name in server.known_faults()}
    assert len(known) > 60
    assert known <= words, sorted(known - words)


def test_every_fault_leaves_the_server_well(server: StandIn) -> None:
    request = b"GET /logout HTTP/1.1\r\nHost: auth.angel.com\r\nConnection: close\r\n\r\n"
    for name in server.known_faults():
        server.fault("/logout", "status:500" if name == "status" else name, times=1)
        try:
            with dial(server, "auth.angel.com", timeout=0.1) as tls:
                tls.sendall(request)
                read_all(tls, 0.1)
        except OSError:
            pass
        server.clear_faults()
        assert b" 302 " in ask(server), name
