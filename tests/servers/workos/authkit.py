"""AuthKit, the pages of WorkOS for people: where a user enters the code that a device shows.

A browser that is not signed in signs in first and is sent back to the code. Browsers are kept in
memory, so a restart signs them out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from . import pages, tokens
from .devices import Devices
from .store import Store, User

_COOKIE = "__Host-authkit"


@dataclass
class _Browser:
    id: str = field(default_factory=lambda: tokens.opaque(40))
    csrf: str = field(default_factory=lambda: tokens.opaque(40))
    user: User | None = None


class AuthKit:
    def __init__(self, store: Store, devices: Devices) -> None:
        self._store = store
        self._devices = devices
        self._browsers: dict[str, _Browser] = {}

    def routes(self) -> list[Route]:
        return [
            Route("/device", self.device, methods=["GET"]),
            Route("/device", self.enter, methods=["POST"]),
            Route("/device/confirm", self.confirm, methods=["POST"]),
            Route("/sign-in", self.sign_in_form, methods=["GET"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
        ]

    async def device(self, request: Request) -> Response:
        browser = self._browser(request)
        code = request.query_params.get("user_code", "")
        if browser.user is None:
            here = "/device" + (f"?{urlencode({'user_code': code})}" if code else "")
            return _see(f"/sign-in?{urlencode({'return_to': here})}", browser)
        if not code:
            return _page(pages.code_page(browser.csrf), browser)
        device = self._devices.waiting(code)
        if device is None:
            page = pages.code_page(browser.csrf, "This code is invalid or has expired.")
            return _page(page, browser, 404)
        page = pages.confirm_page(browser.csrf, device.user_code, browser.user.email)
        return _page(page, browser)

    async def enter(self, request: Request) -> Response:
        browser, form = self._browser(request), await _form(request)
        if form.get("csrf_token") != browser.csrf:
            return _forbidden(browser)
        return _see(f"/device?{urlencode({'user_code': form.get('user_code', '')})}", browser)

    async def confirm(self, request: Request) -> Response:
        browser, form = self._browser(request), await _form(request)
        if form.get("csrf_token") != browser.csrf or browser.user is None:
            return _forbidden(browser)
        device = self._devices.waiting(form.get("user_code", ""))
        if device is None:
            page = pages.code_page(browser.csrf, "This code is invalid or has expired.")
            return _page(page, browser, 404)
        allow = "allow" in form
        self._devices.answer(device, browser.user, allow=allow)
        if allow:
            return _page(pages.plain_page("Device connected", "You may close this page."), browser)
        return _page(pages.plain_page("Request denied", "The device was not signed in."), browser)

    async def sign_in_form(self, request: Request) -> Response:
        browser = self._browser(request)
        return_to = request.query_params.get("return_to", "/device")
        return _page(pages.sign_in_page(browser.csrf, return_to), browser)

    async def sign_in(self, request: Request) -> Response:
        browser, form = self._browser(request), await _form(request)
        if form.get("csrf_token") != browser.csrf:
            return _forbidden(browser)
        return_to = form.get("return_to", "")
        user = self._store.check_password(form.get("email", ""), form.get("password", ""))
        if user is None:
            page = pages.sign_in_page(browser.csrf, return_to, "Wrong e-mail or password.")
            return _page(page, browser, 401)
        # A new name for the browser, now that it is somebody.
        del self._browsers[browser.id]
        known = _Browser(user=user)
        self._browsers[known.id] = known
        ours = return_to.partition("?")[0] == "/device"
        return _see(return_to if ours else "/device", known)

    def _browser(self, request: Request) -> _Browser:
        known = self._browsers.get(request.cookies.get(_COOKIE, ""))
        if known is None:
            known = _Browser()
            self._browsers[known.id] = known
        return known


async def _form(request: Request) -> dict[str, str]:
    body = (await request.body()).decode("ascii", "replace")
    return dict(parse_qsl(body, keep_blank_values=True))


def _forbidden(browser: _Browser) -> Response:
    return _page(pages.plain_page("Forbidden", "The form has expired."), browser, 403)


def _see(path: str, browser: _Browser) -> Response:
    return _with_cookie(RedirectResponse(path, 303), browser)


def _page(html: str, browser: _Browser, status: int = 200) -> Response:
    return _with_cookie(HTMLResponse(html, status), browser)


def _with_cookie(answer: Response, browser: _Browser) -> Response:
    answer.set_cookie(_COOKIE, browser.id, path="/", secure=True, httponly=True, samesite="lax")
    answer.headers["cache-control"] = "no-store"
    return answer
