"""A client of the shop for the stand-in's own tests: standard library, Python 3.8 or later.

It keeps cookies by name alone, whatever their attributes say; those are for the tests to look at.
"""

from __future__ import annotations

import functools
import http.client
import json
import socket
import ssl
from typing import Any

from tests.servers.fixture import StandIn

API = "/shop/api"


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.set_cookies = answer.headers.get_all("set-cookie") or []
        text = answer.read().decode("utf-8")
        self.json: Any = json.loads(text) if text else None


class Client:
    def __init__(self, server: StandIn) -> None:
        self._server = server
        self._base = server.parameters["base"]
        self.cookies: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: Any = None, cookies: dict[str, str] | None = None
    ) -> Answer:
        jar = self.cookies if cookies is None else cookies
        headers = {"Host": self._base.partition("//")[2]}
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        connection = self._connection()
        try:
            data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
            connection.request(method, path, data, headers)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        if cookies is None:
            self._keep(answer.set_cookies)
        return answer

    def log_in(self, username: str, password: str) -> Answer:
        return self.ask(
            "POST", f"{API}/linxup/auth/login", {"username": username, "password": password}
        )

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)

    def _connection(self) -> http.client.HTTPConnection:
        plain = socket.create_connection(("127.0.0.1", self._server.port), timeout=5)
        connection = http.client.HTTPConnection("127.0.0.1")
        connection.sock = plain
        if self._base.startswith("https:"):
            name = self._base.partition("//")[2]
            connection.sock = _trust(self._server.ca_file).wrap_socket(plain, server_hostname=name)
        return connection


@functools.lru_cache(maxsize=None)
def _trust(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
