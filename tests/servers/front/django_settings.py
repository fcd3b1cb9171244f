"""What Django's settings say of the front, and of logging, in every stand-in made with it."""

from __future__ import annotations

from typing import Any

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
