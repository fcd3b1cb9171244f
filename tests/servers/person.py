"""A person's browser on the pages of a service: enters a code, signs in, allows or denies.

It does what a browser does with these pages: keeps cookies by their attributes, follows redirects,
fills the fields of the forms it finds and presses their buttons.
"""

from __future__ import annotations

import html.parser
import http.client
import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# The connection to whatever has the pages, by host name.
Connect = Callable[[str], http.client.HTTPConnection]


class Browser:
    """With `home` it stays on that host: a page that leads elsewhere says where, `location`."""

    def __init__(self, connect: Connect, accept: str = "text/html", home: str = "") -> None:
        self._accept = accept
        self.jar = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self.jar)
        self._opener = urllib.request.build_opener(Https(connect), cookies, _Redirects(home))

    def open(self, url: str, form: dict[str, str] | None = None) -> Page:
        data = None if form is None else urllib.parse.urlencode(form).encode()
        headers = {"Accept": self._accept}
        # A page sends it with its forms; a program that asks for JSON is no page.
        if data is not None and self._accept == "text/html":
            address = urllib.parse.urlsplit(url)
            headers["Origin"] = f"{address.scheme}://{address.netloc}"
        request = urllib.request.Request(url, data, headers)
        try:
            with self._opener.open(request, timeout=10) as answer:
                return Page(answer.geturl(), answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                location = error.headers.get("Location", "")
                return Page(error.geturl(), error.code, error.read().decode(), location)

    def submit(self, page: Page, form: str, button: str = "", **filled: str) -> Page:
        """Send a form, with the button of this name when there are several."""
        found = page.forms[form]
        unknown = set(filled) - set(found.fields)
        assert not unknown, f"the form {form} has no field {unknown}"
        pressed = {button: found.buttons[button]} if button else {}
        action = urllib.parse.urljoin(page.url, found.action)
        return self.open(action, {**found.fields, **filled, **pressed})


class Page(html.parser.HTMLParser):
    """Its title, its complaint if it has one, and its forms by id."""

    def __init__(self, url: str, status: int, text: str, location: str = "") -> None:
        super().__init__()
        self.url = url
        self.status = status
        # Where it leads, when the browser did not go there.
        self.location = location
        self.text = text
        self.title = ""
        self.error = ""
        self.forms: dict[str, Form] = {}
        self._form = ""
        self._within = ""
        self.feed(text)

    def checked(self) -> Page:
        """Raises ValueError with what the page complains of."""
        if self.error or self.status >= 400:
            raise ValueError(self.error or self.title or f"the page came with {self.status}")
        return self

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self._within = "error" if has.get("role") == "alert" else tag
        if tag == "form":
            self._form = has.get("id", "")
            self.forms[self._form] = Form(has.get("action", ""))
        form = self.forms.get(has.get("form", self._form))
        if form and "name" in has:
            kind = form.buttons if tag == "button" else form.fields
            kind[has["name"]] = has.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._within = ""
        if tag == "form":
            self._form = ""

    def handle_data(self, data: str) -> None:
        if self._within in ("title", "error"):
            setattr(self, self._within, data)


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)


class _Redirects(urllib.request.HTTPRedirectHandler):
    def __init__(self, home: str) -> None:
        self._home = home

    def redirect_request(
        self, request: urllib.request.Request, *answer: Any
    ) -> urllib.request.Request | None:
        # The last of it is the new address.
        leaves = self._home and urllib.parse.urlsplit(answer[-1]).hostname != self._home
        return None if leaves else super().redirect_request(request, *answer)


class Https(urllib.request.HTTPSHandler):
    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._connect = connect

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        def make(host: str, **_: Any) -> http.client.HTTPConnection:
            return self._connect(host)

        return self.do_open(make, request)


class BehindTheFront(http.client.HTTPConnection):
    """To a service itself, past the front and its journal; says what the front says to it.

    The Host header is the caller's.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__("127.0.0.1", port, timeout=10)
        self._public = host

    def putrequest(self, method: str, url: str, *_: Any, **__: Any) -> None:
        super().putrequest(method, url, skip_host=True, skip_accept_encoding=True)
        self.putheader("X-Forwarded-Proto", "https")
        self.putheader("X-Forwarded-Host", self._public)
