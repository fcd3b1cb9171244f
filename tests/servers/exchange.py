"""One request of the standard library, said in full: for services that want headers of their own,
and for tests that leave one out.
"""

from __future__ import annotations

import http.client
import json
from typing import Any, Mapping
from urllib.parse import urlencode, urlsplit

from tests.servers.client import connect, dial
from tests.servers.fixture import StandIn


class Reply:
    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self.text = answer.read().decode("utf-8")

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def kind(self) -> str:
        return self.headers.get_content_type() if "content-type" in self.headers else ""


def exchange(
    server: StandIn,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    json_body: Any = None,
    *,
    form: Mapping[str, str] | None = None,
) -> Reply:
    """`url` with scheme and host; http goes in the clear to the stand-in's port."""
    parts = urlsplit(url)
    sent = {"Host": parts.netloc, **(headers or {})}
    body = b""
    if json_body is not None:
        sent.setdefault("Content-Type", "application/json")
        body = json.dumps(json_body, ensure_ascii=False).encode()
    elif form is not None:
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        body = urlencode(form).encode()
    secure = parts.scheme == "https"
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.sock = connect(server, parts.hostname or "") if secure else dial(server)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path or "/", body or None, sent)
        return Reply(connection.getresponse())
    finally:
        connection.close()
