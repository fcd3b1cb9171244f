"""Bare requests to any host of a stand-in, for the stand-ins' own tests.

Standard library, Python 3.8 or later. It follows no redirect and keeps no cookie: what comes back
is for the tests to look at, and what is sent is what they wrote.
"""

from __future__ import annotations

import base64
import http.client
import json
import urllib.parse
from http.cookies import Morsel, SimpleCookie
from typing import Any

from tests.servers import client
from tests.servers.fixture import StandIn


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode("utf-8")
        self.location = answer.headers.get("location", "")
        # name -> value and attributes
        self.cookies: dict[str, Morsel[str]] = {}
        for line in answer.headers.get_all("set-cookie") or []:
            self.cookies.update(SimpleCookie(line))

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def form(self) -> dict[str, str]:
        return dict(urllib.parse.parse_qsl(self.text))


def ask(
    server: StandIn,
    method: str,
    url: str,
    *,
    headers: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    document: Any = None,
) -> Answer:
    """`form` is sent as a form and `document` as JSON; `http://` goes in the clear."""
    parts = urllib.parse.urlsplit(url)
    sent = {"Host": parts.netloc, **(headers or {})}
    data = None
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        data = urllib.parse.urlencode(form).encode()
    elif document is not None:
        sent["Content-Type"] = "application/json"
        data = json.dumps(document).encode()
    host = parts.hostname or ""
    connection = http.client.HTTPConnection("127.0.0.1")
    plain = parts.scheme == "http"
    connection.sock = client.dial(server) if plain else client.connect(server, host)
    target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
    try:
        connection.request(method, target, data, sent)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(name: str, password: str) -> dict[str, str]:
    both = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {both}"}
