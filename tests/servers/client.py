"""A client for the stand-ins' own tests: standard library, Python 3.8 or later.

It keeps the bearer token and the cookies that it was given, by name alone, and forgets a cookie
that becomes empty. What else their attributes say is for the tests to look at.
"""

from __future__ import annotations

import functools
import http.client
import json
import socket
import ssl
import urllib.parse
from http.cookies import Morsel, SimpleCookie
from typing import Any, Dict

from tests.servers.fixture import StandIn


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.set_cookies = answer.headers.get_all("set-cookie") or []
        text = answer.read()
        self.json: Any = json.loads(text) if text else None
        # name -> value and attributes
        self.cookies: dict[str, Morsel[str]] = {}
        for line in self.set_cookies:
            self.cookies.update(SimpleCookie(line))


class Form(Dict[str, str]):
    """A body that is sent as a form; any other is sent as JSON."""


class Client:
    def __init__(
        self, server: StandIn, token: str = "", cookies: dict[str, str] | None = None
    ) -> None:
        self.server = server
        self.token = token
        self.cookies = dict(cookies or {})

    def copy(self) -> Client:
        """With what this one has now, as a thief would have it."""
        return Client(self.server, self.token, self.cookies)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def delete(self, path: str) -> Answer:
        return self.ask("DELETE", path)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.ask("POST", path, body)

    def submit(self, path: str, fields: dict[str, str]) -> Answer:
        return self.ask("POST", path, Form(fields))

    def ask(
        self, method: str, path: str, body: Any = None, cookies: dict[str, str] | None = None
    ) -> Answer:
        """With other `cookies` than its own, it keeps nothing of the answer."""
        answer = self._ask(method, path, body, self.cookies if cookies is None else cookies)
        if cookies is not None:
            return answer
        if answer.status == 200:
            self.token = answer.json.get("access_token", self.token)
        for name, morsel in answer.cookies.items():
            if morsel.value:
                self.cookies[name] = morsel.value
            else:
                self.cookies.pop(name, None)
        return answer

    def _ask(self, method: str, path: str, body: Any, cookies: dict[str, str]) -> Answer:
        scheme, _, host = self.server.parameters["base"].partition("://")
        headers = {"Host": host}
        data = None
        if isinstance(body, Form):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            data = urllib.parse.urlencode(body).encode()
        elif body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1")
        connection.sock = connect(self.server, host) if scheme == "https" else dial(self.server)
        try:
            connection.request(method, path, data, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()


def dial(server: StandIn, timeout: float = 5) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=timeout)


def connect(server: StandIn, host: str, timeout: float = 5) -> ssl.SSLSocket:
    """A TLS connection to this host, which is the stand-in whatever its name."""
    with dial(server, timeout) as plain:
        # On success the new socket takes the descriptor over.
        return _trust(server.ca_file).wrap_socket(plain, server_hostname=host)


@functools.lru_cache(maxsize=None)
def _trust(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
