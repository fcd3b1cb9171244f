"""Faults that are proper HTTP: a wrong status, a Location that lures, cookies not quite deleted.

Each takes the true answer of the service and returns what is sent in its place. A session that
such an answer leaves alive must not be called revoked by the client.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from .answer import Answer


@dataclass
class Asked:
    """What of the request a fault may need."""

    host: str
    path: str
    query: str
    # The main host of the service.
    main: str

    @property
    def lookalike(self) -> str:
        """The main host with the first vowel of its domain from another alphabet."""
        *front, name, top = self.main.split(".")
        vowel = next(one for one in name if one in _LOOKALIKES)
        name = name.replace(vowel, _LOOKALIKES[vowel], 1)
        return ".".join([*front, name.encode("idna").decode("ascii"), top])

    @property
    def domain(self) -> str:
        """The domain above the host that is asked."""
        return ".".join(self.host.partition(":")[0].split(".")[-2:])


Distortion = Callable[[Answer, Asked, dict[str, Any]], Answer]

# Faults that do not look at the true answer; the service is not asked (unless `ends` is set).
BLIND = ("status", "html_200", "json_200")

_LOOKALIKES = {"a": "\u0430", "e": "\u0435", "i": "\u0456", "o": "\u043e", "u": "\u057d"}


def _status(_: Answer, __: Asked, p: dict[str, Any]) -> Answer:
    kind = "text/plain; charset=utf-8"
    answer = Answer(p["code"], [("content-type", kind)], str(p.get("body", "")).encode())
    if "location" in p:
        answer.set("location", p["location"])
    after = p.get("retry_after")
    for value in after if isinstance(after, list) else [after]:
        if value is not None:
            answer.headers.append(("retry-after", str(value)))
    return answer


def _with_status(answer: Answer, _: Asked, p: dict[str, Any]) -> Answer:
    return Answer(int(p.get("code", 200)), answer.headers, answer.body)


def _html_200(_: Answer, __: Asked, p: dict[str, Any]) -> Answer:
    body = p.get("body", "<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>")
    return Answer(200, [("content-type", "text/html; charset=utf-8")], body.encode())


def _json_200(_: Answer, __: Asked, p: dict[str, Any]) -> Answer:
    body = p.get("body", '{"success": true, "message": "Successfully logged out"}')
    return Answer(200, [("content-type", "application/json")], body.encode())


def _true_answer(answer: Answer, _: Asked, __: dict[str, Any]) -> Answer:
    return answer


def _no_location(answer: Answer, _: Asked, __: dict[str, Any]) -> Answer:
    answer.remove("location")
    return answer


def _location(default: str) -> Distortion:
    def distort(answer: Answer, asked: Asked, p: dict[str, Any]) -> Answer:
        location = str(p.get("location", default))
        for name in ("host", "path", "main", "lookalike"):
            location = location.replace(f"{{{name}}}", getattr(asked, name))
        if not 300 <= answer.status < 400:
            answer = Answer(int(p.get("status", 302)), answer.headers, b"")
        answer.set("location", location)
        return answer

    return distort


def _chain(answer: Answer, asked: Asked, p: dict[str, Any]) -> Answer:
    """A chain of redirects on the same path, after which the true answer comes."""
    query = parse_qs(asked.query, keep_blank_values=True)
    hop = int(query.get("stand_in_hop", ["0"])[0]) + 1
    if hop > int(p.get("hops", 11)):
        return answer
    rest = re.sub(r"(^|&)stand_in_hop=\d+", "", asked.query).lstrip("&")
    location = f"https://{asked.host}{asked.path}?stand_in_hop={hop}" + (rest and f"&{rest}")
    return Answer(302, [("location", location)])


def _deletions(change: Callable[[str, Asked], str | None]) -> Distortion:
    """Change each Set-Cookie line: to a new one, or to None for none."""

    def distort(answer: Answer, asked: Asked, _: dict[str, Any]) -> Answer:
        headers = []
        for name, value in answer.headers:
            changed = change(value, asked) if name.lower() == "set-cookie" else value
            if changed is not None:
                headers.append((name, changed))
        answer.headers = headers
        return answer

    return distort


def _without(line: str, *attributes: str) -> str:
    first, *rest = line.split(";")
    kept = [one for one in rest if one.partition("=")[0].strip().lower() not in attributes]
    return ";".join([first, *kept])


def _with(attribute: str) -> Distortion:
    """One attribute in place of what was said of it; one of time replaces all of time."""
    name = attribute.partition("=")[0].lower()
    replaced = ("expires", "max-age") if name in ("expires", "max-age") else (name,)
    return _deletions(lambda line, _: f"{_without(line, *replaced)}; {attribute}")


def _other_domain(line: str, asked: Asked) -> str:
    """That of the host alone, or that above it where it was the host's already."""
    given = re.search(r"(?i);\s*domain=\.?([^;]*)", line)
    above = given is None or given.group(1).strip().lower() == asked.host
    return f"{_without(line, 'domain')}; Domain={asked.domain if above else asked.host}"


def _only_some(answer: Answer, _: Asked, p: dict[str, Any]) -> Answer:
    """`cookies` names those still deleted; by default all but the last."""
    names = [v.partition("=")[0] for n, v in answer.headers if n.lower() == "set-cookie"]
    deleted = p.get("cookies", names[:-1])
    answer.headers = [
        (name, value)
        for name, value in answer.headers
        if name.lower() != "set-cookie" or value.partition("=")[0] in deleted
    ]
    return answer


def _extra_headers(answer: Answer, _: Asked, p: dict[str, Any]) -> Answer:
    answer.headers += [(str(name), str(value)) for name, value in p.get("headers", [])]
    return answer


def _many_cookies(answer: Answer, asked: Asked, p: dict[str, Any]) -> Answer:
    for number in range(int(p.get("count", 5000))):
        line = f"filler_{number}=x; Path=/; Domain=.{asked.domain}; Secure"
        answer.headers.append(("set-cookie", line))
    return answer


def _wrong_encoding(answer: Answer, _: Asked, p: dict[str, Any]) -> Answer:
    answer.set("content-encoding", p.get("encoding", "gzip"))
    answer.body = answer.body or b"this is no gzip stream"
    return answer


DISTORTIONS: dict[str, Distortion] = {
    "status": _status,
    "html_200": _html_200,
    "json_200": _json_200,
    "with_status": _with_status,
    "delay": _true_answer,
    "extra_headers": _extra_headers,
    "many_cookies": _many_cookies,
    "wrong_encoding": _wrong_encoding,
    # Where to
    "no_location": _no_location,
    "empty_location": _location(""),
    "wrong_location": _location("https://{main}/error?reason=logout_failed"),
    "evil_host": _location("https://evil.example/collect"),
    "evil_port": _location("https://{host}:4443{path}"),
    "evil_http": _location("http://{host}{path}"),
    "evil_userinfo": _location("https://{host}@evil.example{path}"),
    "evil_subdomain": _location("https://{host}.evil.example{path}"),
    "evil_scheme_relative": _location("//evil.example{path}"),
    "evil_backslash": _location("https://evil.example\\@{host}{path}"),
    "evil_idn": _location("https://{lookalike}{path}"),
    "evil_scheme": _location("data:text/html,signed%20out"),
    "evil_crlf": _location("https://{host}/\r\nSet-Cookie: injected=1; Path=/\r\nX-More: 1"),
    "redirect_loop": _location("https://{host}{path}"),
    "redirect_chain": _chain,
    # Cookies
    "no_deletion": _deletions(lambda _, __: None),
    "partial_deletion": _only_some,
    "deletion_other_path": _with("Path=/other"),
    "deletion_other_domain": _deletions(_other_domain),
    "deletion_host_only": _deletions(lambda line, _: _without(line, "domain")),
    "deletion_future": _with("Expires=Fri, 01 Jan 2088 00:00:00 GMT"),
    "deletion_never": _deletions(lambda line, _: _without(line, "expires", "max-age")),
    "deletion_other_name": _deletions(lambda line, _: f"x_{line}"),
    # These two do delete: a browser would drop the cookie.
    "deletion_max_age": _with("Max-Age=0"),
    "deletion_with_value": _deletions(
        lambda line, _: re.sub(r"^([^=]*)=[^;]*", r"\1=deleted", line)
    ),
}
