"""Django and the package, configured without a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django
import django.conf
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse

from tests.servers.front.django_settings import BEHIND_THE_FRONT, Handler, rehearsed, set_clock

from .settings import Settings

HOST = "login.django-demo.example"
BASE = f"https://{HOST}"
ISSUER = f"{BASE}/o"
DEVICE_PAGE = f"{ISSUER}/device/"
CLIENT_ID = "sessionkeeper"
_ENDING = ("/o/revoke_token/", "/o/logout/")
_LOGIN_PAGE = """<!DOCTYPE html><title>Sign in</title>
{% if form.errors %}<p role="alert">Wrong e-mail address or password</p>{% endif %}
<form id="login" method="post">{% csrf_token %}{{ form.as_p }}<button>Sign in</button></form>
"""


def application(directory: Path, secret_key: str, signing_key: str, settings: Settings) -> Any:
    """The ASGI application. Once in a process: Django's settings are the process's."""
    set_clock(lambda: settings.clock_offset)
    django.conf.settings.configure(
        SECRET_KEY=secret_key,
        ALLOWED_HOSTS=[HOST],
        ROOT_URLCONF=f"{__package__}.urls",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.staticfiles",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            f"{__name__}.dry_run",
            f"{__name__}.count_reuse",
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "context_processors": ["django.template.context_processors.request"],
                    "loaders": [
                        (
                            "django.template.loaders.locmem.Loader",
                            {"registration/login.html": _LOGIN_PAGE},
                        ),
                        "django.template.loaders.app_directories.Loader",
                    ],
                },
            }
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(directory / "django.sqlite3"),
                "OPTIONS": {"timeout": 10, "transaction_mode": "IMMEDIATE"},
            }
        },
        # This is a test server: its passwords need no time.
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        STATIC_URL="/static/",
        **BEHIND_THE_FRONT,
        SIGNING_KEY=signing_key,
        OAUTH2_PROVIDER={},
    )
    follow(settings)
    django.setup()
    call_command("migrate", verbosity=0)
    return get_asgi_application()


def follow(settings: Settings) -> None:
    """Configure the package by these settings, from now on."""
    django.conf.settings.OAUTH2_PROVIDER = {
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": django.conf.settings.SIGNING_KEY,
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
        "OAUTH2_VALIDATOR_CLASS": f"{__package__}.claims.Validator",
        "OAUTH_DEVICE_VERIFICATION_URI": DEVICE_PAGE,
        "OAUTH_DEVICE_VERIFICATION_URI_COMPLETE": lambda code: f"{DEVICE_PAGE}?user_code={code}",
        "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
        "DEVICE_FLOW_INTERVAL": settings.device_interval,
        "ACCESS_TOKEN_EXPIRE_SECONDS": settings.access_lifetime,
        "REFRESH_TOKEN_REUSE_PROTECTION": True,
        "SCOPES": {
            "openid": "Who you are",
            "email": "Your e-mail address",
            "profile": "Your name",
            "offline_access": "Access while you are away",
        },
        # What it made of its settings is otherwise kept for good.
        "ALWAYS_RELOAD_OAUTHLIB_CORE": True,
    }
    from oauth2_provider.settings import oauth2_settings

    oauth2_settings.reload()


def dry_run(answer: Handler) -> Handler:
    """A middleware: what a request with the front's mark would end, lives on."""
    return rehearsed(answer, _ENDING)


def count_reuse(answer: Handler) -> Handler:
    """A middleware: the package ends a login whose token is used twice, and keeps no count."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path == "/o/token/":
            from .logins import note_reuse

            note_reuse(request.POST.get("refresh_token"))
        return answer(request)

    return middleware
