"""The web application behind the three host names: login, callback, logout, GraphQL.

It knows nothing of faults, with one exception: a logout with the front's mark (front/service.py,
DRY_RUN) gets its true answer, and the session lives on.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Host, Route, Router

from tests.servers.front.request import bearer
from tests.servers.front.service import is_dry_run
from tests.servers.front.store import User
from tests.servers.front.wire import cookies_of, with_cookies

from . import cookies, pages, tokens
from .store import Session, Store

WWW, AUTH, API = "www.angel.com", "auth.angel.com", "api.angelstudios.com"
HOSTS = (WWW, AUTH, API)

_LOGIN_PAGE = f"https://{WWW}/auth/login"
_CALLBACK = f"https://{WWW}/api/auth/callback"


@dataclass
class _Forms:
    """Logins under way; in memory, so a restart of the server ends them as in life."""

    email_states: set[str] = field(default_factory=set)
    # state of the password page -> (the browser's Phoenix session, its CSRF token)
    password_states: dict[str, tuple[str, str]] = field(default_factory=dict)
    # code of the callback -> who logged in, or the session that is renewed
    codes: dict[str, User | Session] = field(default_factory=dict)


class Site:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._forms = _Forms()

    def application(self) -> Starlette:
        www = [
            Route("/", self.front),
            Route("/watch", self.front),
            Route("/account", self.account),
            Route("/auth/login", self.begin_login),
            Route("/api/auth/callback", self.callback),
        ]
        auth = [
            Route("/authorize", self.authorize),
            Route("/u/login", self.email_form, methods=["GET"]),
            Route("/u/login", self.log_in, methods=["POST"]),
            Route("/u/login/password", self.password_form),
            Route("/logout", self.log_out),
        ]
        api = [Route("/graphql", self.graphql, methods=["POST"])]
        return Starlette(
            routes=[
                Host(WWW, Router(www)),
                Host(AUTH, Router(auth)),
                Host(API, Router(api)),
                Route("/{path:path}", _misdirected),
            ]
        )

    # www.angel.com

    async def front(self, request: Request) -> Response:
        session = self._store.accepted(cookies_of(request))
        return _html("Watch", f"Signed in as {session.email}" if session else "Not signed in")

    async def account(self, request: Request) -> Response:
        session = self._store.accepted(cookies_of(request))
        return _html("Account", session.email) if session else _redirect(_LOGIN_PAGE)

    async def begin_login(self, _: Request) -> Response:
        state = tokens.form_state()
        self._forms.email_states.add(state)
        query = {"client_id": "angel_web", "state": state, "redirect_uri": _CALLBACK}
        line = cookies.setting(cookies.STATE, state, None, 0)
        return _redirect(f"https://{AUTH}/authorize?{urlencode(query)}", [line])

    async def callback(self, request: Request) -> Response:
        granted = self._forms.codes.pop(request.query_params.get("code", ""), None)
        if granted is None:
            return _html("Something went wrong", "This code is not valid.", status=400)
        renewal = isinstance(granted, Session)
        session = granted if isinstance(granted, Session) else self._store.begin(granted)
        if not session.alive:
            return _redirect(_LOGIN_PAGE)
        lines = self._store.issue(session, renewal=renewal)
        return _redirect(f"https://{WWW}/watch", lines)

    # auth.angel.com

    async def authorize(self, request: Request) -> Response:
        session = self._store.remembered(cookies_of(request))
        if session:
            return self._grant(session)
        query = urlencode({"state": request.query_params.get("state", "")})
        return _redirect(f"https://{AUTH}/u/login?{query}")

    async def email_form(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        if state not in self._forms.email_states:
            return _redirect(_LOGIN_PAGE)
        hidden = None if self._store.settings.no_state_input else state
        line = cookies.setting(cookies.PHOENIX, tokens.phoenix_value(), None, 0)
        return with_cookies(HTMLResponse(pages.email_page(hidden)), [line])

    async def password_form(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        email = request.query_params.get("email", "")
        if state not in self._forms.email_states:
            return _html("Log in again", "The form has expired: state", status=400)
        if not email:
            return _redirect(f"https://{AUTH}/u/login?{urlencode({'state': state})}")
        return self._password_answer(request, email)

    async def log_in(self, request: Request) -> Response:
        """POST of the password page. The state serves once, and so does the CSRF token with it."""
        form = await _form(request)
        state = form.get("state", "")
        phoenix, csrf = self._forms.password_states.pop(state, ("", ""))
        if not csrf or request.query_params.get("state") != state:
            return _html("Log in again", "The form has expired: state", status=400)
        browser = cookies_of(request).get(cookies.PHOENIX, "")
        if browser != phoenix or form.get("_csrf_token") != csrf:
            return _html("Forbidden", "Invalid CSRF token", status=403)
        email = form.get("email", "")
        if form.get("has_agreed") != "true":
            return self._password_answer(request, email, "Please agree to the terms.")
        user = self._store.check_password(email, form.get("password", ""))
        if user is None:
            return self._password_answer(request, email, "Wrong e-mail or password.")
        return self._grant(user)

    async def log_out(self, request: Request) -> Response:
        if request.query_params.get("client_id") != "angel_web":
            return _html("Bad request", "Unknown client", status=400)
        lines = cookies.deletions(self._store.settings.jwt_cookie_name)
        session = self._store.accepted(cookies_of(request))
        if session is None:
            return _redirect(_LOGIN_PAGE, lines)
        if not is_dry_run(request.headers):
            self._store.end(session, "logout")
        wanted = request.query_params.get("return_to", "")
        ours = urlsplit(wanted)[:2] == ("https", WWW)
        return _redirect(wanted if ours else _LOGIN_PAGE, lines)

    def _grant(self, who: User | Session) -> Response:
        code = secrets.token_urlsafe(32)
        self._forms.codes[code] = who
        return _redirect(f"{_CALLBACK}?{urlencode({'code': code})}")

    def _password_answer(self, request: Request, email: str, error: str = "") -> Response:
        state, csrf = tokens.form_state(), tokens.form_state()
        phoenix = cookies_of(request).get(cookies.PHOENIX) or tokens.phoenix_value()
        self._forms.password_states[state] = (phoenix, csrf)
        settings = self._store.settings
        page = pages.password_page(
            email,
            None if settings.no_password_state else state,
            None if settings.no_csrf else csrf,
            error,
        )
        line = cookies.setting(cookies.PHOENIX, phoenix, None, 0)
        return with_cookies(HTMLResponse(page), [line])

    # api.angelstudios.com

    async def graphql(self, request: Request) -> Response:
        session = self._store.accepted(cookies_of(request), bearer(request.headers))
        if session is None:
            error = {"message": "Not signed in", "extensions": {"code": "UNAUTHENTICATED"}}
            as_errors = self._store.settings.graphql_unauthenticated == "errors"
            answer = {"data": {"me": None}, "errors": [error]}
            return JSONResponse(answer, status_code=200 if as_errors else 401)
        try:
            query = str(json.loads(await request.body())["query"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"errors": [{"message": "Bad request"}]}, status_code=400)
        wanted = re.search(r"\bme\s*\{([^{}]*)\}", query)
        user = self._store.users.get(session.email)
        known = {"id": session.user_id, "email": session.email, "name": user.name if user else ""}
        fields = wanted.group(1).split() if wanted else ["?"]
        if not set(fields) <= set(known):
            code = {"code": "GRAPHQL_VALIDATION_FAILED"}
            return JSONResponse({"errors": [{"message": "Unknown field", "extensions": code}]})
        return JSONResponse({"data": {"me": {name: known[name] for name in fields}}})


async def _misdirected(_: Request) -> Response:
    return _html("Misdirected request", "No such host here.", status=421)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form body, strictly UTF-8; of a repeated field the first."""
    try:
        text = (await request.body()).decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise HTTPException(400, "Not a form") from error
    return {name: values[0] for name, values in fields.items()}


def _html(title: str, text: str, status: int = 200) -> Response:
    return HTMLResponse(pages.plain_page(title, text), status_code=status)


def _redirect(location: str, set_cookies: list[str] | None = None) -> Response:
    answer = HTMLResponse(pages.redirect_page(location), status_code=302)
    answer.headers["location"] = location
    return with_cookies(answer, set_cookies or [])
