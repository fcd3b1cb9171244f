"""A login and a logout at Angel Studios by hand, as an add-on without Sessionkeeper makes them:
with requests, with httpx, and with the bare minimum over TLS. They send what ours sends.
"""

from __future__ import annotations

import html
import json
import pickle
import re
import ssl
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from benches.invocation import expect

WWW, AUTH = "https://www.angel.com", "https://auth.angel.com"
LEAVING = {"client_id": "angel_web", "return_to": "https://www.angel.com/watch"}


def log_in(client: Any, name: str, password: str) -> None:
    state = _field("state", client.get(f"{WWW}/auth/login", {}))
    page = client.get(f"{AUTH}/u/login/password", {"email": name, "state": state})
    state = _field("state", page)
    form = {"email": name, "password": password, "state": state, "has_agreed": "true"}
    form["_csrf_token"] = _field("_csrf_token", page)
    client.post(f"{AUTH}/u/login", {"state": state}, form)
    client.keep()


def log_out(client: Any) -> None:
    client.get(f"{AUTH}/logout", LEAVING, status=302)
    client.forget()


def _field(name: str, page: str) -> str:
    found = re.search(rf"<input value=\"([^\"]*)\" id='{name}'", page)
    expect(found)
    return html.unescape(found[1] if found else "")


class Bare:
    """HTTP/1.1 over TLS, connections kept, cookies by name, redirects followed; no file."""

    def __init__(self, ca_file: str) -> None:
        self._context = ssl.create_default_context(cafile=ca_file)
        self._connections: dict[str, HTTPSConnection] = {}
        self._cookies: dict[str, str] = {}

    def get(self, url: str, query: dict[str, str], status: int = 200) -> str:
        return self._request("GET", f"{url}?{urlencode(query)}", None, status)

    def post(self, url: str, query: dict[str, str], form: dict[str, str]) -> str:
        return self._request("POST", f"{url}?{urlencode(query)}", urlencode(form), 200)

    def keep(self) -> None:
        expect(len(self._cookies) >= 4)

    def forget(self) -> None:
        self._cookies.clear()

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def _request(self, method: str, url: str, body: str | None, wanted: int) -> str:
        while True:
            parts = urlsplit(url)
            host = parts.netloc
            if host not in self._connections:
                self._connections[host] = HTTPSConnection(host, context=self._context)
            connection = self._connections[host]
            headers = {"Cookie": "; ".join(f"{n}={v}" for n, v in self._cookies.items())}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, f"{parts.path}?{parts.query}", body, headers)
            answer = connection.getresponse()
            page = answer.read().decode()
            for line in answer.headers.get_all("Set-Cookie", []):
                name, _, value = line.partition(";")[0].partition("=")
                self._cookies[name] = value
            if answer.status == wanted:
                return page
            expect(answer.status == 302)
            method, body = "GET", None
            url = urljoin(url, answer.headers["Location"])


class Library:
    """requests or httpx, which are called alike; keeps its cookies in a file."""

    def __init__(self, library: str, ca_file: str, file: Path) -> None:
        self._requests = library == "requests"
        self._redirects = "allow_redirects" if self._requests else "follow_redirects"
        self._verify: Any = (
            ca_file if self._requests else ssl.create_default_context(cafile=ca_file)
        )
        self._file = file
        self.close()

    def get(self, url: str, query: dict[str, str], status: int = 200) -> str:
        follow = {self._redirects: status == 200}
        return self._page(self.session.get(url, params=query, **follow), status)

    def post(self, url: str, query: dict[str, str], form: dict[str, str]) -> str:
        follow = {self._redirects: True}
        return self._page(self.session.post(url, params=query, data=form, **follow), 200)

    def keep(self) -> None:
        if self._requests:
            self._file.write_bytes(pickle.dumps(self.session.cookies))
        else:
            self._file.write_text(json.dumps(dict(self.session.cookies)))

    def forget(self) -> None:
        self.session.cookies.clear()
        self._file.unlink()

    def close(self) -> None:
        """Disconnects; the next request is a new client's."""
        if self._requests:
            import requests

            self.session: Any = requests.Session()
            self.session.verify = self._verify
        else:
            import httpx

            self.session = httpx.Client(verify=self._verify)

    def _page(self, answer: Any, wanted: int) -> str:
        expect(answer.status_code == wanted)
        return str(answer.text)
