"""The user's browser at AuthKit: reads pages, fills in forms, keeps cookies, follows redirects."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx2

from .devices import AUTHKIT, VERIFICATION_URI


class Visitor:
    """As the browser sees it this is https; the network is a port on this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def answer_device(self, user_code: str, email: str, password: str, allow: bool) -> str:
        """Sign in, enter the code, and press a button. The title of the last page.

        Raises ValueError when a page complains.
        """
        browser = httpx2.AsyncClient(transport=_Loopback(self._port), follow_redirects=True)
        try:
            async with browser:
                page = _read(await browser.get(VERIFICATION_URI))
                page = await _submit(browser, page, email=email, password=password)
                page = await _submit(browser, page, user_code=user_code)
                page = await _submit(browser, page, action="allow" if allow else "deny")
        except httpx2.TransportError as error:
            raise ValueError("no answer") from error
        return page.title


@dataclass
class _Page:
    title: str = ""
    complaint: str = ""
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = _Page()
        self._into = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._into = "complaint" if given.get("role") == "alert" else tag
        if tag == "form":
            self.page.action = given["action"]
        elif tag == "input":
            self.page.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._into = ""

    def handle_data(self, data: str) -> None:
        if self._into == "title":
            self.page.title += data
        elif self._into == "complaint":
            self.page.complaint += data


class _Loopback(httpx2.AsyncHTTPTransport):
    def __init__(self, port: int) -> None:
        super().__init__(verify=False, trust_env=False)
        self._port = port

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        content = await request.aread()
        plain = httpx2.Request(request.method, url, headers=request.headers, content=content)
        return await super().handle_async_request(plain)


async def _submit(browser: httpx2.AsyncClient, page: _Page, **filled: str) -> _Page:
    url = f"https://{AUTHKIT}{page.action}"
    return _read(await browser.post(url, data={**page.fields, **filled}))


def _read(answer: httpx2.Response) -> _Page:
    reader = _Reader()
    reader.feed(answer.text)
    if reader.page.complaint or answer.status_code >= 400:
        raise ValueError(reader.page.complaint or reader.page.title)
    return reader.page
