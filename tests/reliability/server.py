"""The service of the fault lab: strict, quick, and the judge of which sessions live.

At `/plain` the refresh token serves for ever. At `/rotating` each renewal replaces every
credential, and a refresh token that comes a second time ends the session, as RFC 9700 section
4.14.2 wants. A logout ends what its cookie or its token names, and deletes the cookie only then;
else it is a 401.
"""

from __future__ import annotations

import contextlib
import copy
import json
import secrets
import socket
import threading
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import Any

PASSWORD = "Zaunkoenig4Bachstelze9"
USERS = ("ann", "bob", "cy", "dan")

PROVIDER = """
id = "lab-KIND"
name = "The fault lab"
website = "http://127.0.0.1:PORT/"
hosts = ["127.0.0.1:PORT"]

[session]
token_cookies = ["sid"]

[api]
bearer_hosts = ["127.0.0.1:PORT"]

[login]
flow = "password"
url = "http://127.0.0.1:PORT/KIND/login"
json = { username = "{username}", password = "{password}" }

[renew]
flow = "request"
url = "http://127.0.0.1:PORT/KIND/renew"
json = { refresh_token = "{refresh_token}" }
rotates = ROTATES

[[logout.steps]]
flow = "request"
method = "POST"
url = "http://127.0.0.1:PORT/KIND/logout"
bearer = true

[logout.steps.proof]
status = [200]
deletes = [["sid"]]
"""


@dataclass
class Session:
    number: int
    user: str
    sid: str
    access: list[str]
    refresh: str
    spent: list[str] = field(default_factory=list)
    # Why it has ended, or "".
    ended: str = ""

    def secrets(self) -> list[str]:
        return [self.sid, *self.access, self.refresh, *self.spent]


@dataclass
class World:
    """All sessions there ever were, oldest first."""

    sessions: list[Session] = field(default_factory=list)

    def living(self) -> set[int]:
        return {session.number for session in self.sessions if not session.ended}

    def owner(self, sid: str) -> Session | None:
        """The session that a cookie belongs to, or belonged to once."""
        return next((one for one in self.sessions if sid and sid in one.secrets()), None)

    def accepts(self, sid: str) -> bool:
        return any(one.sid == sid and not one.ended for one in self.sessions)

    def log_in(self, user: str) -> Session:
        number = len(self.sessions) + 1
        session = Session(number, user, _secret(), [_secret()], _secret())
        self.sessions.append(session)
        return session

    def renew(self, refresh: str, *, rotates: bool) -> Session | None:
        for session in self.sessions:
            if refresh in session.spent and not session.ended:
                session.ended = "a refresh token came twice"
            if session.ended or session.refresh != refresh:
                continue
            if rotates:
                session.spent += [session.sid, *session.access, session.refresh]
                session.sid, session.access, session.refresh = _secret(), [], _secret()
            session.access.append(_secret())
            return session
        return None

    def log_out(self, sid: str, access: str) -> bool:
        """False where neither names a living session."""
        named = [one for one in self.sessions if not one.ended]
        named = [one for one in named if one.sid == sid or access in one.access]
        for session in named:
            session.ended = "logout"
        return bool(named)


class Server:
    """Listens on a port of its own on loopback. Away, it refuses connections and keeps the port."""

    def __init__(self) -> None:
        self.world = World()
        # Bound and never listening: nobody else gets the port while the server is away.
        self._reserved = _bound(0)
        self.port: int = self._reserved.getsockname()[1]
        self._listener: socket.socket | None = None
        self.well()

    def provider(self, kind: str) -> str:
        text = PROVIDER.replace("PORT", str(self.port)).replace("KIND", kind)
        return text.replace("ROTATES", str(kind == "rotating").lower())

    def well(self) -> None:
        if self._listener is None:
            self._listener = _bound(self.port)
            self._listener.listen(16)
            threading.Thread(target=self._serve, args=[self._listener], daemon=True).start()

    def away(self) -> None:
        if self._listener is not None:
            # This wakes the thread that accepts; closing alone would not.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def close(self) -> None:
        self.away()
        self._reserved.close()

    def set(self, world: World) -> None:
        self.world = copy.deepcopy(world)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            # One at a time: what a case does in parallel is not the server's to order.
            connection.settimeout(10)
            _Handler.answer(connection, address, self.world)


class _Handler(BaseHTTPRequestHandler):
    """One request a connection (HTTP/1.0)."""

    @classmethod
    def answer(cls, connection: socket.socket, address: Any, world: World) -> None:
        with connection, contextlib.suppress(OSError):  # the client has gone
            cls(connection, address, world)

    def do_POST(self) -> None:
        world: World = self.server
        given = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, kind, verb = self.path.split("/")
        if verb == "logout":
            jar = SimpleCookie(self.headers.get("Cookie", ""))
            sid = jar["sid"].value if "sid" in jar else ""
            access = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if world.log_out(sid, access):
                self._say(200, {}, "sid=; Path=/; Max-Age=0")
            else:
                self._say(401, {"error": "nobody is logged in"})
            return
        body = json.loads(given)
        if verb == "login":
            is_right = body["username"] in USERS and body["password"] == PASSWORD
            session = world.log_in(body["username"]) if is_right else None
        else:
            session = world.renew(body["refresh_token"], rotates=kind == "rotating")
        if session is None:
            self._say(401, {"error": "invalid_grant"})
            return
        answer = {
            "access_token": session.access[-1],
            "refresh_token": session.refresh,
            "expires_in": 86_400,
            "user": {"id": session.user, "email": f"{session.user}@example.com"},
        }
        self._say(200, answer, f"sid={session.sid}; Path=/; HttpOnly; Max-Age=15552000")

    def _say(self, status: int, body: Any, cookie: str = "") -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


def _bound(port: int) -> socket.socket:
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.bind(("127.0.0.1", port))
    return one


def _secret() -> str:
    return secrets.token_urlsafe(24)
