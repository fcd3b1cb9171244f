"""The way in by pages, from /authorize to the callback, and the ways out of the browser session."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.servers.front.service import is_dry_run

from . import CALLBACKS, CLIENTS, LOGGED_OUT, pages
from .store import Browser, Store, Transaction
from .tokens import Tokens

_COOKIE: dict[str, Any] = {"path": "/", "secure": True, "httponly": True}


class Login:
    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store = store
        self._settings = store.options
        self._tokens = tokens

    def routes(self) -> list[Route]:
        both = ["GET", "POST"]
        return [
            Route("/authorize", self.authorize),
            Route("/authorize/resume", self.resume),
            Route("/u/login/identifier", self.identifier, methods=both),
            Route("/u/login/password", self.password, methods=both),
            Route("/u/login", self.combined, methods=both),
            Route("/u/mfa-otp-challenge", self.second_factor, methods=both),
            Route("/v2/logout", self.log_out),
            Route("/oidc/logout", self.log_out_by_hint),
        ]

    # To the callback

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        client = asked.get("client_id", "")
        if client not in CLIENTS:
            return _oops(f"Unknown client: {client}")
        if asked.get("redirect_uri", CALLBACKS[client]) != CALLBACKS[client]:
            return _oops("Callback URL mismatch.")
        if asked.get("response_type") != "code":
            return _refuse(asked, "unsupported_response_type", "Unsupported response type")
        browser = self._store.browser(request.cookies.get("auth0"))
        signed_in = browser and browser.email and asked.get("prompt") != "login"
        if browser and signed_in:
            return self._call_back(browser, asked)
        if asked.get("prompt") == "none":
            return _refuse(asked, "login_required", "Login required")
        browser = browser or self._store.new_browser()
        transaction = self._store.begin(browser, asked)
        answer = self._page(transaction)
        if "did" not in request.cookies:
            device = f"s%3Av0%3A{secrets.token_urlsafe(48)}"
            _set(answer, "did", device, 31_557_600)
        _set(answer, "auth0", browser.cookie, 259_200)
        return answer

    async def resume(self, request: Request) -> Response:
        browser, transaction = await self._underway(request)
        if browser is None or transaction is None or not transaction.done:
            return _oops("We could not resume your login.", 400)
        del self._store.transactions[transaction.state]
        return self._call_back(browser, transaction.asked)

    def _call_back(self, browser: Browser, asked: dict[str, str]) -> Response:
        code = self._store.new_code(browser, asked)
        return _to_callback(asked, {"code": code.code})

    # The pages

    async def identifier(self, request: Request) -> Response:
        _, transaction = await self._underway(request)
        if transaction is None or self._settings.pages != "identifier_first":
            return _oops("Your transaction is not valid.", 400)
        if request.method == "GET":
            return self._form("identifier", transaction)
        email = await self._given(request, "username")
        if "@" not in email:
            return self._form("identifier", transaction, "username", "Email is not valid.")
        if self._settings.captcha and not await self._given(request, "captcha"):
            return self._form("identifier", transaction, "captcha", "Solve the challenge.")
        transaction.email = email
        self._store.next_page(transaction)
        return _to("/u/login/password", transaction)

    async def password(self, request: Request) -> Response:
        browser, transaction = await self._underway(request)
        if browser is None or transaction is None or not transaction.email:
            return _oops("Your transaction is not valid.", 400)
        if request.method == "GET":
            return self._form("password", transaction)
        return self._sign_in(
            "password", browser, transaction, await self._given(request, "password")
        )

    async def combined(self, request: Request) -> Response:
        browser, transaction = await self._underway(request)
        if browser is None or transaction is None or self._settings.pages != "combined":
            return _oops("Your transaction is not valid.", 400)
        if request.method == "GET":
            return self._form("both", transaction)
        transaction.email = await self._given(request, "username")
        if self._settings.captcha and not await self._given(request, "captcha"):
            return self._form("both", transaction, "captcha", "Solve the challenge.")
        return self._sign_in("both", browser, transaction, await self._given(request, "password"))

    async def second_factor(self, request: Request) -> Response:
        _, transaction = await self._underway(request)
        if transaction is None:
            return _oops("Your transaction is not valid.", 400)
        told = "Check your preferred one-time password application for a code."
        return HTMLResponse(pages.message("Verify Your Identity", told))

    def _sign_in(
        self, page: str, browser: Browser, transaction: Transaction, password: str
    ) -> Response:
        email, failures = transaction.email, self._store.failures
        if failures.get(email, 0) >= self._settings.attempts:
            told = "Your account has been blocked after multiple consecutive login attempts."
            return self._form(page, transaction, "prompt-alert", told)
        if self._store.check_password(email, password) is None:
            failures[email] = failures.get(email, 0) + 1
            self._store.save()
            return self._form(page, transaction, "password", "Wrong email or password")
        failures.pop(email, None)
        if self._settings.second_factor:
            self._store.next_page(transaction)
            return _to("/u/mfa-otp-challenge", transaction)
        self._store.sign_in(transaction, browser)
        answer = _to("/authorize/resume", transaction)
        _set(answer, "auth0", browser.cookie, 259_200)
        return answer

    def _page(self, transaction: Transaction) -> Response:
        first = self._settings.pages == "identifier_first"
        return _to("/u/login/identifier" if first else "/u/login", transaction)

    def _form(
        self, kind: str, transaction: Transaction, element: str = "", text: str = ""
    ) -> Response:
        captcha = self._settings.captcha and kind != "password"
        shown = pages.form(
            kind, transaction.state, transaction.email, (element, text), captcha=captcha
        )
        return HTMLResponse(shown, 400 if element else 200)

    async def _underway(self, request: Request) -> tuple[Browser | None, Transaction | None]:
        """Of this browser and state; a form that is sent has the state once more."""
        browser = self._store.browser(request.cookies.get("auth0"))
        state = request.query_params.get("state", "")
        if request.method == "POST" and await self._given(request, "state") != state:
            return browser, None
        return browser, self._store.underway(state, browser)

    async def _given(self, request: Request, name: str) -> str:
        return str((await request.form()).get(name, ""))

    # Out

    async def log_out(self, request: Request) -> Response:
        """It redirects whoever was signed in, or nobody."""
        client, wanted = (request.query_params.get(name) for name in ("client_id", "returnTo"))
        if client is not None and client not in CLIENTS:
            return _oops(f"Unknown client: {client}", 400)
        if wanted is not None and (client is None or wanted != LOGGED_OUT):
            return _oops('The "returnTo" querystring parameter is not allowed.', 400)
        self._sign_out(request, self._store.browser(request.cookies.get("auth0")))
        onward = wanted or (LOGGED_OUT if client else "")
        return _cleared(RedirectResponse(onward, 302) if onward else PlainTextResponse("OK"))

    async def log_out_by_hint(self, request: Request) -> Response:
        asked = request.query_params
        browser = self._store.browser(request.cookies.get("auth0"))
        claims = self._tokens.claims(asked.get("id_token_hint", ""))
        if "id_token_hint" in asked and not claims:
            return _oops("Invalid id_token_hint", 400)
        wanted = asked.get("post_logout_redirect_uri")
        if wanted not in (None, LOGGED_OUT):
            return _oops("post_logout_redirect_uri is not allowed", 400)
        named = claims.get("sid") or asked.get("logout_hint")
        if browser and browser.email and browser.sid != named:
            return HTMLResponse(pages.message("Log Out", "Do you want to log out?"))
        self._sign_out(request, browser)
        state = f"?{urlencode({'state': asked['state']})}" if "state" in asked else ""
        return _cleared(RedirectResponse(f"{LOGGED_OUT}{state}", 302))

    def _sign_out(self, request: Request, browser: Browser | None) -> None:
        if browser and not is_dry_run(request.headers):
            self._store.sign_out(browser)


def _to(path: str, transaction: Transaction) -> Response:
    return RedirectResponse(f"{path}?{urlencode({'state': transaction.state})}", 302)


def _to_callback(asked: dict[str, str], answer: dict[str, str]) -> Response:
    state = {"state": asked["state"]} if "state" in asked else {}
    query = urlencode({**answer, **state})
    return RedirectResponse(f"{CALLBACKS[asked['client_id']]}?{query}", 302)


def _refuse(asked: dict[str, str], error: str, told: str) -> Response:
    return _to_callback(asked, {"error": error, "error_description": told})


def _oops(told: str, status: int = 403) -> Response:
    return HTMLResponse(pages.message("Oops!, something went wrong", told), status)


def _set(answer: Response, name: str, value: str, seconds: int) -> None:
    """And the same for browsers that know no SameSite=None."""
    answer.set_cookie(name, value, seconds, samesite="none", **_COOKIE)
    answer.set_cookie(f"{name}_compat", value, seconds, samesite=None, **_COOKIE)


def _cleared(answer: Response) -> Response:
    answer.delete_cookie("auth0", samesite="none", **_COOKIE)
    answer.delete_cookie("auth0_compat", samesite=None, **_COOKIE)
    return answer
