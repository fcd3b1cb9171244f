"""A browser of the standard library for the stand-ins' own tests, and bare TLS connections.

It trusts the stand-in's CA, finds every host at the stand-in's port, follows redirects and keeps
cookies: as far as these pages need it, and without a line of what it helps to test.
"""

from __future__ import annotations

import html
import http.client
import http.cookiejar
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tests.servers import client, person
from tests.servers.client import connect as dial
from tests.servers.fixture import StandIn

LOGIN = "https://www.angel.com/auth/login"
LOGOUT = "https://auth.angel.com/logout?client_id=angel_web"
GRAPHQL = "https://api.angelstudios.com/graphql"
FOUR = {
    "angel_jwt_v2",
    "angelSession_v2.0",
    "_ellis_island_session",
    "_ellis_island_web_user_remember_me",
}
REMEMBER = "_ellis_island_web_user_remember_me"


class Answer:
    def __init__(self, answer: Any, url: str) -> None:
        self.status: int = answer.status
        self.url = url
        self.headers = answer.headers
        self.set_cookies: list[str] = answer.headers.get_all("set-cookie") or []
        self.text: str = answer.read().decode("utf-8")


class Browser:
    """Follows redirects and keeps cookies, as far as these pages need it."""

    def __init__(self, server: StandIn) -> None:
        self._server = server
        self.jar = http.cookiejar.CookieJar()

    def get(self, url: str, follow: bool = True, **headers: str) -> Answer:
        return self._open(urllib.request.Request(url, headers=headers), follow)

    def post(self, url: str, data: bytes, follow: bool = True, **headers: str) -> Answer:
        return self._open(urllib.request.Request(url, data, headers), follow)

    def cookies(self) -> dict[str, str]:
        return {cookie.name: cookie.value or "" for cookie in self.jar}

    def open_form(self, email: str) -> tuple[str, str]:
        """The state and CSRF token of the password page."""
        first = self.get(LOGIN)
        assert first.url.startswith("https://auth.angel.com/u/login")
        query = urllib.parse.urlencode({"email": email, "state": hidden(first.text, "state")})
        page = self.get(f"https://auth.angel.com/u/login/password?{query}")
        return hidden(page.text, "state"), hidden(page.text, "_csrf_token")

    def log_in(self, email: str, password: str, **changed: str) -> Answer:
        state, csrf = self.open_form(email)
        form = {"email": email, "password": password, "state": state, "_csrf_token": csrf}
        form.update({"has_agreed": "true"}, **changed)
        return self.post(post_url(state), urllib.parse.urlencode(form).encode())

    def _open(self, request: urllib.request.Request, follow: bool) -> Answer:
        server = self._server

        class Connection(http.client.HTTPSConnection):
            def connect(self) -> None:
                self.sock = client.connect(server, self.host)

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_: Any, **__: Any) -> None:
                return None

        https = person.Https(Connection)
        handlers: list[Any] = [https, urllib.request.HTTPCookieProcessor(self.jar)]
        handlers += [] if follow else [Stay()]
        opener = urllib.request.build_opener(*handlers)
        try:
            answer = opener.open(request, timeout=5)
        except urllib.error.HTTPError as error:
            answer = error
        return Answer(answer, answer.geturl())


def post_url(state: str) -> str:
    return "https://auth.angel.com/u/login?" + urllib.parse.urlencode({"state": state})


def hidden(page: str, name: str) -> str:
    shown = re.sub(r"<!--.*?-->|<script>.*?</script>", "", page, flags=re.DOTALL)
    found = re.findall(rf'<input value="([^"]*)"[^>]*name="{name}"', shown)
    assert len(found) == 1, f"{name}: {found}"
    return html.unescape(found[0])


def me(browser: Browser, jwt: str) -> Answer:
    query = json.dumps({"query": "{ me { email } }"}).encode()
    return browser.post(GRAPHQL, query, Authorization=f"Bearer {jwt}")


def ask(server: StandIn, path: str = "/logout", host: str = "auth.angel.com") -> bytes:
    """All bytes the server sends to one request, up to its end."""
    with dial(server, host.partition(":")[0]) as tls:
        request = f"GET {path}?client_id=angel_web HTTP/1.1\r\nHost: {host}\r\n"
        tls.sendall(f"{request}Connection: close\r\n\r\n".encode())
        got = read_all(tls, 5)
        if is_reset(tls):
            raise ConnectionResetError(got)
        return got


def read_all(tls: ssl.SSLSocket, seconds: float) -> bytes:
    """What comes until the end, or until so much time has passed."""
    got = b""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end and (chunk := tls.recv(65536)):
            got += chunk
    except TimeoutError:
        pass
    return got


def is_reset(tls: ssl.SSLSocket) -> bool:
    """Python's ssl shows a reset as an end; but only a reset takes the peer away."""
    try:
        tls.getpeername()
    except OSError:
        return True
    return False
