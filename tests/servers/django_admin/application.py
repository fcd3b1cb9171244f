"""Django with its admin, configured without a project."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import django
import django.conf
from django.core.asgi import get_asgi_application
from django.core.management import call_command

from tests.servers.front.django_settings import BEHIND_THE_FRONT, Handler, rehearsed, set_clock

from .settings import Settings

HOST = "admin.home-demo.example"
_ENDING = ("/admin/logout/", "/admin/password_change/")
_CONTEXT = (
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)


def application(directory: Path, secret_key: str, settings: Settings) -> Any:
    """The ASGI application. Once in a process: Django's settings are the process's."""
    set_clock(lambda: settings.clock_offset)
    django.conf.settings.configure(
        SECRET_KEY=secret_key,
        ALLOWED_HOSTS=[HOST],
        ROOT_URLCONF=f"{__package__}.urls",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
        ],
        MIDDLEWARE=[
            f"{__name__}.dry_run",
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": _CONTEXT},
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
        SESSION_COOKIE_SECURE=True,
        CSRF_COOKIE_SECURE=True,
        STATIC_URL="/static/",
        **BEHIND_THE_FRONT,
    )
    follow(settings)
    django.setup()
    call_command("migrate", verbosity=0)
    return get_asgi_application()


def follow(settings: Settings) -> None:
    django.conf.settings.SESSION_COOKIE_AGE = settings.session_lifetime


def dry_run(answer: Handler) -> Handler:
    """A middleware: what a request with the front's mark would end, lives on."""
    return rehearsed(answer, _ENDING)
