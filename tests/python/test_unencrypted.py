"""Services in the viewer's own network without a certificate: nobody logs in before she agreed."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

import sessionkeeper

PASSWORD = "correct horse"


class Answers(http.server.BaseHTTPRequestHandler):
    """A small service as people run it at home: logs in by JSON, keeps tokens in memory."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server: Any = self.server
        server.asked.append((self.path, self.headers.get("X-Token")))
        if self.path == "/login":
            good = json.loads(body) == {"name": "viewer", "word": PASSWORD}
            if good:
                server.tokens.add("at")
            self._answer(200 if good else 401, {"access_token": "at"} if good else {})
        else:
            known = self.headers.get("X-Token") in server.tokens
            server.tokens.discard(self.headers.get("X-Token"))
            self._answer(200 if known else 401, {"ended": known})

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.path, self.headers.get("X-Token")))
        self._answer(200 if self.headers.get("X-Token") in server.tokens else 401, {"id": "7"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def nas() -> Iterator[Any]:
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked, server.tokens = [], set()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def definition(address: str, lan: bool = True) -> dict[str, Any]:
    return {
        "id": "nas",
        "name": "Nas",
        "website": address,
        "hosts": [address],
        "lan": lan,
        "account": {"url": f"{address}/me", "bearer": True},
        "api": {"bearer_hosts": [address], "headers": {"X-Token": "{access_token}"}},
        "login": {
            "flow": "password",
            "url": f"{address}/login",
            "json": {"name": "{username}", "word": "{password}"},
        },
        "logout": {
            "steps": [
                {
                    "flow": "request",
                    "method": "POST",
                    "url": f"{address}/logout",
                    "bearer": True,
                    "proof": {"status": [200], "json": {"/ended": True}},
                }
            ]
        },
    }


Open = Callable[..., sessionkeeper.Keeper]


@pytest.fixture
def at(nas: Any, tmp_path: Path) -> Open:
    def open_at(host: str = "nas.local", lan: bool = True) -> sessionkeeper.Keeper:
        port = nas.server_address[1]
        return sessionkeeper.open(
            definition(f"http://{host}:{port}", lan),
            data_dir=tmp_path / "data",
            key_dir=tmp_path / "key",
            proxy="http://127.0.0.1:9",
            resolve=[f"{host}:{port}:127.0.0.1"],
        )

    return open_at


def test_nobody_logs_in_before_the_viewer_has_agreed(nas: Any, at: Open) -> None:
    keeper = at()
    (address,) = keeper.unencrypted()
    assert address == f"http://nas.local:{nas.server_address[1]}"
    with pytest.raises(sessionkeeper.EncryptionMissing, match="not encrypted"):
        keeper.login("viewer", PASSWORD)
    with pytest.raises(sessionkeeper.EncryptionMissing):
        keeper.adopt(tokens={"access_token": "at"})
    assert nas.asked == []
    keeper.allow_unencrypted(address)
    assert keeper.unencrypted() == []
    session = keeper.login("viewer", PASSWORD)
    assert (session.account.id, session.get(f"{address}/x").status_code) == ("7", 200)
    # Her word taken back keeps nobody from logging out there.
    keeper.allow_unencrypted(address, False)
    assert keeper.logout().remote == "revoked"
    assert nas.tokens == set()
    with pytest.raises(sessionkeeper.EncryptionMissing):
        keeper.login("viewer", PASSWORD)
    trail = [(one.event, one.outcome) for one in keeper.audit() if one.event == "unencrypted"]
    assert sorted(trail) == [("unencrypted", "allowed"), ("unencrypted", "withdrawn")]


def test_her_word_is_for_that_address_alone(nas: Any, at: Open) -> None:
    here, there = at(), at("other.local")
    here.allow_unencrypted(*here.unencrypted())
    assert here.unencrypted() == []
    with pytest.raises(sessionkeeper.EncryptionMissing):
        there.login("viewer", PASSWORD)
    with pytest.raises(sessionkeeper.InvalidInput, match="not reached at that address") as refused:
        here.allow_unencrypted("http://other.local")
    assert "http://nas.local" in refused.value.hint
    assert nas.asked == []


@pytest.mark.parametrize(
    ("host", "lan", "hint"),
    [
        ("nas.local", False, "lan = true"),
        ("nas.example.com", True, "own network"),
        ("172.32.0.1", True, "own network"),
    ],
)
def test_elsewhere_only_https_is_used(nas: Any, at: Open, host: str, lan: bool, hint: str) -> None:
    with pytest.raises(sessionkeeper.InvalidProvider, match="only https is used") as refused:
        at(host, lan)
    assert hint in refused.value.hint
    assert nas.asked == []


def test_a_header_that_carries_the_credential_is_the_sessions_own(nas: Any, at: Open) -> None:
    keeper = at()
    (address,) = keeper.unencrypted()
    keeper.allow_unencrypted(address)
    session = keeper.login("viewer", PASSWORD)
    assert session.headers["X-Token"] == "at"
    with pytest.raises(sessionkeeper.InvalidInput, match="x-token is set by the session"):
        session.get(f"{address}/x", headers={"x-token": "mine"})
    assert ("/me", "at") in nas.asked
