"""What stand-ins made with Django share: settings, the clock, the mark DRY_RUN as a middleware."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from .service import is_dry_run

Handler = Callable[[HttpRequest], HttpResponse]

BEHIND_THE_FRONT: dict[str, Any] = {
    "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
    "USE_X_FORWARDED_HOST": True,
    "LOGGING": {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"stderr": {"class": "logging.StreamHandler"}},
        "loggers": {"django.request": {"handlers": ["stderr"], "level": "ERROR"}},
    },
    "USE_I18N": False,
    "USE_TZ": True,
}


def set_clock(offset: Callable[[], float]) -> None:
    """Let Django, and what is made with it, see the stand-in's clock."""
    now = timezone.now
    timezone.now = lambda: now() + dt.timedelta(seconds=offset())


def rehearsed(answer: Handler, ending: Collection[str]) -> Handler:
    """A middleware: what a request with the front's mark would end, lives on. `ending`: the paths
    of the requests that end something.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path not in ending or not is_dry_run(request.headers):
            return answer(request)
        with transaction.atomic():
            response = answer(request)
            transaction.set_rollback(True)
        return response

    return middleware
