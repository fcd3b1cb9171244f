"""The application's views. Those below /api/ are for programs, and need no CSRF token."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import jwt
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST
from django.views.defaults import server_error
from workos import BadRequestError, NotFoundError, WorkOSError

from .application import COOKIE, Backend

View = Callable[[HttpRequest], HttpResponse]


def _for_programs(view: View) -> View:
    """No CSRF token, no caching; and 503, with the session kept, while WorkOS is away."""

    @functools.wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except (WorkOSError, jwt.PyJWKClientConnectionError):
            return JsonResponse({"error": "temporarily_unavailable"}, status=503)

    return csrf_exempt(never_cache(answer))


@_for_programs
@require_POST
def log_in(request: HttpRequest) -> HttpResponse:
    try:
        given = json.loads(request.body)
        email, password = str(given["email"]), str(given["password"])
    except (ValueError, KeyError, TypeError):
        return JsonResponse({"error": "bad_request"}, status=400)
    backend = _backend()
    try:
        answer = backend.workos.user_management.authenticate_with_password(
            email=email, password=password, user_agent=request.headers.get("user-agent")
        )
    except BadRequestError:
        return JsonResponse({"error": "invalid_credentials"}, status=401)
    sealed = backend.seal(answer)
    # What is handed out has been read once.
    backend.session(sealed).authenticate()
    shown = JsonResponse({"user": _user(answer.user.to_dict())})
    return _with_session(shown, sealed)


@_for_programs
@require_POST
def refresh(request: HttpRequest) -> HttpResponse:
    if not _backend().settings.refresh_path:
        raise Http404
    renewed = _backend().session(_sealed(request)).refresh()
    if renewed.authenticated:
        return _with_session(JsonResponse({"user": _user(renewed.user)}), renewed.sealed_session)
    reason = getattr(renewed.reason, "value", renewed.reason)
    if "invalid_grant" in reason or "cookie" in reason:
        return _without_session(JsonResponse({"error": "session_over"}, status=401))
    return JsonResponse({"error": "temporarily_unavailable"}, status=503)


@_for_programs
@require_GET
def me(request: HttpRequest) -> HttpResponse:
    """By the cookie or, for a device, by an access token."""
    backend = _backend()
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        try:
            claims = backend.claims(token.strip())
            user = backend.workos.user_management.get_user(claims["sub"]).to_dict()
        except jwt.PyJWKClientConnectionError:
            raise
        except (jwt.PyJWTError, NotFoundError):
            return _unauthenticated("invalid_jwt")
        session_id = claims["sid"]
    else:
        found = backend.session(_sealed(request)).authenticate()
        if not found.authenticated:
            return _unauthenticated(found.reason.value)
        user, session_id = found.user, found.session_id
    try:
        if backend.settings.check_sessions and not backend.lives(user["id"], session_id):
            return _unauthenticated("session_ended")
    except NotFoundError:
        return _unauthenticated("no_such_user")
    return JsonResponse(_user(user))


@_for_programs
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """Give the way out of WorkOS, and forget the cookie. Ends nothing by itself."""
    backend = _backend()
    if backend.settings.backend_fails:
        return server_error(request)
    try:
        url = backend.logout_url(_sealed(request))
    except jwt.PyJWKClientError:
        return server_error(request)
    except ValueError:
        url = None
    return _without_session(JsonResponse({backend.settings.logout_key: url}))


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    text = "You are signed out." if request.path == "/goodbye" else "Demo"
    return HttpResponse(f"<!DOCTYPE html><title>Demo</title><h1>{text}</h1>")


urlpatterns = [
    path("", page),
    path("goodbye", page),
    path("api/login/", log_in),
    path("api/refresh/", refresh),
    path("api/me/", me),
    path("api/logout/", log_out),
]


def _backend() -> Backend:
    return settings.BACKEND


def _sealed(request: HttpRequest) -> str:
    return request.COOKIES.get(COOKIE, "")


def _user(user: dict[str, Any]) -> dict[str, str]:
    return {name: user[name] for name in ("id", "email", "name")}


def _unauthenticated(reason: str) -> HttpResponse:
    return JsonResponse({"error": reason}, status=401)


def _with_session(answer: HttpResponse, sealed: str) -> HttpResponse:
    known = _backend().settings
    answer.set_cookie(
        COOKIE,
        sealed,
        max_age=int(known.refresh_lifetime),
        domain=known.cookie_domain or None,
        secure=True,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _without_session(answer: HttpResponse) -> HttpResponse:
    answer.delete_cookie(COOKIE, domain=_backend().settings.cookie_domain or None, samesite="Lax")
    return answer
