"""A client for the stand-ins' own tests: standard library, Python 3.8 or later.

It keeps the bearer token and the cookies that it was given, and forgets a cookie that is deleted.
"""

from __future__ import annotations

import functools
import http.client
import json
import socket
import ssl
from http.cookies import Morsel, SimpleCookie
from typing import Any

from tests.servers.fixture import StandIn


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.json: Any = json.loads(answer.read())
        # name -> value and attributes
        self.cookies: dict[str, Morsel[str]] = {}
        for line in answer.headers.get_all("set-cookie") or []:
            self.cookies.update(SimpleCookie(line))


class Client:
    def __init__(
        self, server: StandIn, token: str = "", cookies: dict[str, str] | None = None
    ) -> None:
        self.server = server
        self.token = token
        self.cookies = dict(cookies or {})

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def delete(self, path: str) -> Answer:
        return self._ask("DELETE", path)

    def post(self, path: str, body: Any = None) -> Answer:
        answer = self._ask("POST", path, body)
        if answer.status == 200:
            self.token = answer.json.get("access_token", self.token)
        for name, morsel in answer.cookies.items():
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
        return answer

    def copy(self) -> Client:
        """With what this one has now, as a thief would have it."""
        return Client(self.server, self.token, self.cookies)

    def _ask(self, method: str, path: str, body: Any = None) -> Answer:
        host = self.server.parameters["base"].partition("//")[2]
        headers = {"Host": host}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode()
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={v}" for name, v in self.cookies.items())
        connection = http.client.HTTPConnection(host)
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as plain:
            connection.sock = _trust(self.server.ca_file).wrap_socket(plain, server_hostname=host)
        try:
            connection.request(method, path, data, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()


@functools.lru_cache(maxsize=None)
def _trust(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)
