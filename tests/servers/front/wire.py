"""What services on Starlette share: cookies in both directions, as exact lines."""

from __future__ import annotations

from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import Response

from .request import parse_cookies

LONG_AGO = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"


def cookies_of(request: Request) -> dict[str, str]:
    return parse_cookies("; ".join(request.headers.getlist("cookie")))


def with_cookies(answer: Response, lines: list[str]) -> Response:
    """With Set-Cookie lines, and not to be cached."""
    answer.raw_headers.extend((b"set-cookie", line.encode("ascii")) for line in lines)
    answer.headers["cache-control"] = "no-store"
    return answer


def lasting(lifetime: float, now: float) -> str:
    return f"Expires={formatdate(now + lifetime, usegmt=True)}; Max-Age={int(lifetime)}"
