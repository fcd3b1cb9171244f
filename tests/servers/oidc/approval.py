"""A person's browser on the pages of the issuer: enters a code, signs in, allows or denies.

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
    def __init__(self, connect: Connect, accept: str = "text/html") -> None:
        self._accept = accept
        self.jar = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self.jar)
        self._opener = urllib.request.build_opener(_Https(connect), cookies)

    def open(self, url: str, form: dict[str, str] | None = None) -> Page:
        data = None if form is None else urllib.parse.urlencode(form).encode()
        request = urllib.request.Request(url, data, {"Accept": self._accept})
        try:
            with self._opener.open(request, timeout=10) as answer:
                return Page(answer.geturl(), answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.geturl(), error.code, error.read().decode())

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

    def __init__(self, url: str, status: int, text: str) -> None:
        super().__init__()
        self.url = url
        self.status = status
        self.text = text
        self.title = ""
        self.error = ""
        self.forms: dict[str, Form] = {}
        self._form = ""
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self._within = "error" if has.get("class") == "error" else tag
        if tag == "form":
            self._form = has.get("id", "")
            self.forms[self._form] = Form(has["action"])
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


def approve(browser: Browser, address: str, given: dict[str, Any]) -> None:
    """Approve {"user_code", "username", "password"}, or refuse with "deny": on the page of the
    code, or, given a name and a password, on the last one.

    Raises ValueError with what the page says.
    """
    deny = bool(given.get("deny"))
    page = browser.open(address)
    page = browser.submit(page, "op.deviceInputForm", user_code=given["user_code"])
    _expect(page, "Confirm device")
    if deny and "username" not in given:
        _expect(browser.submit(page, "op.deviceConfirmForm", "abort"), "Enter code")
        return
    page = browser.submit(page, "op.deviceConfirmForm")
    _expect(page, "Sign in")
    who = {name: given[name] for name in ("username", "password")}
    page = browser.submit(page, "login", **who)
    _expect(page, "Allow access")
    page = browser.submit(page, "abort" if deny else "consent")
    _expect(page, "Enter code" if deny else "Signed in")


def _expect(page: Page, title: str) -> None:
    if page.title != title:
        raise ValueError(page.error or f"the page {page.title!r} came, not {title!r}")


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, connect: Connect) -> None:
        super().__init__()
        self._connect = connect

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        def make(host: str, **_: Any) -> http.client.HTTPConnection:
            return self._connect(host)

        return self.do_open(make, request)
