"""One request at a time to a stand-in of many hosts: standard library, and nothing is kept."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import Any

from tests.servers.client import connect
from tests.servers.fixture import StandIn

FORM = "application/x-www-form-urlencoded"


class Answer:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(
    server: StandIn,
    method: str,
    url: str,
    *,
    form: dict[str, str] | None = None,
    body: Any = None,
    **headers: str,
) -> Answer:
    """`form` or `body` (JSON) with its content type; header names have _ for -, and an empty one
    is not sent at all.
    """
    address = urllib.parse.urlsplit(url)
    lines = {"host": address.netloc, "user-agent": "StandInTest/1.0"}
    data = b""
    if form is not None:
        lines["content-type"] = FORM
        data = urllib.parse.urlencode(form).encode()
    elif body is not None:
        lines["content-type"] = "application/json"
        data = json.dumps(body, ensure_ascii=False).encode()
    lines["content-length"] = str(len(data))
    lines.update({name.replace("_", "-"): value for name, value in headers.items()})
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.sock = connect(server, address.netloc)
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in lines.items():
            if value:
                connection.putheader(name, value)
        connection.endheaders(data)
        return Answer(connection.getresponse())
    finally:
        connection.close()
