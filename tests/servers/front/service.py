"""What a stand-in brings to the front: the protocol of a service.

The front (edge.py) ends TLS for the service's hosts, journals each request, lets faults happen, and
passes the rest to plain HTTP servers of the service on 127.0.0.1. These get the request as it came,
with its Host header, and X-Forwarded-Proto: https and X-Forwarded-Host.

State that a restart keeps (users, sessions, keys) is the service's own, in its directory; there the
names ca.pem, ca.key, front.json and server.log are taken. Settings are kept by the front.

A method may be async also where it is not here, and the other way round.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from .answer import Answer
from .request import Request, bearer
from .settings import SelfHosted, Settings

# The mark of a request that a fault will answer, while the session must not end by it (`ends` in
# the table of faults). Only the front can send it; its value is "1".
#
# A service that sees it answers as it otherwise would, proof and all, and ends, revokes, deletes
# and records nothing: a logout, a revocation, the end of another session. Everything that does not
# end a session is carried out in spite of it: a login, a renewal with its rotation.
DRY_RUN = "x-stand-in-dry-run"


class Service(Protocol):
    # Host names, the first is the main one; each is a key of what start() gives.
    hosts: tuple[str, ...]
    # What the provider file needs: {"base": "https://…"}, or nothing.
    parameters: dict[str, str]
    # A dataclass derived from it. What the last run had is in place before start().
    settings: Settings
    # Served in the clear, as on a developer's machine, and not over TLS.
    plain = False

    async def start(self) -> dict[str, int]:
        """Start the HTTP servers. The port of each host on 127.0.0.1; upstreams.py helps."""

    async def stop(self) -> None:
        """End what would not end with this process, soon. After a kill() nobody calls this:
        a process of the service's own must notice by its standard input that its parent is gone.
        """

    async def follow_settings(self) -> None:
        """Called after each change, before the control interface answers: to close a port, say."""

    def credential(self, headers: Mapping[str, str]) -> str | None:
        """The access token of a request, by its headers (names in lower case); for trace()."""
        return bearer(headers)

    def trace(
        self, cookies: dict[str, str], bearer: str | None, form: dict[str, str]
    ) -> str | None:
        """The id of the session that these credentials ever belonged to, dead or alive: for the
        journal. `form`: the fields of the query, and of a form or JSON body, as far as they are
        texts; of a list the first. `bearer` is what credential() found. Called for each request
        before it is answered; it must not change anything.
        """

    def users(self) -> list[dict[str, str]]:
        """{"id", "email", "name"} of each; at first there are fixture.py's VIEWER and NON_ASCII."""

    def add_user(self, email: str, password: str, id: str = "", name: str = "") -> None:
        """Add an account, or replace the one with this e-mail address."""

    async def sessions(self) -> list[dict[str, Any]]:
        """All there ever were, oldest first: {"id", "email", "alive", …}."""

    async def end_session(self, id: str) -> None:
        """As if somebody else had. Raises KeyError when there is no such session."""

    async def forget_sessions(self) -> None:
        """For the start of each test; users stay."""

    async def check(self, given: dict[str, Any]) -> dict[str, Any]:
        """Whether {"jwt"}, {"cookies"} or {"refresh_token"} would be accepted now:
        {"accepted": bool, "session": id or None}. It must not change anything.
        """


@runtime_checkable
class DeviceLogin(Protocol):
    """A service where a device may sign in by a code has this as well."""

    async def approve(self, given: dict[str, Any]) -> dict[str, Any]:
        """Do what the user's browser would: {"user_code", "username", "password"}, or
        {"user_code", "deny": true}. Raises ValueError when the code or the password is wrong.
        """


def is_plain(service: Service) -> bool:
    """Whether it is served in the clear, beside TLS or instead of it."""
    settings = service.settings
    return service.plain or (isinstance(settings, SelfHosted) and settings.plain_http)


def parameters_of(service: Service, port: int) -> dict[str, str]:
    """What the provider file needs now, with the port that clients see."""
    found = {}
    for name, value in service.parameters.items():
        address = urlsplit(value)
        if is_plain(service) and address.scheme == "https":
            address = address._replace(scheme="http", netloc=f"{address.netloc}:PORT")
        found[name] = address.geturl().replace("PORT", str(port))
    return found


@runtime_checkable
class CodeLogin(Protocol):
    """A service where one signs in on its own pages and is led back with a code has it too."""

    async def authorize(self, given: dict[str, Any]) -> dict[str, str]:
        """Do what the user's browser would with an authorization request: {"url", "username",
        "password"}, or {"url", "deny": true}. {"location"}: where it is led back to, which nobody
        opens. Raises ValueError with what a page says when it is not led back.
        """


@runtime_checkable
class Rehearsal(Protocol):
    """A service whose server cannot be taught the mark DRY_RUN does here what the mark says."""

    async def rehearse(
        self, request: Request, ask: Callable[[Request], Awaitable[Answer]]
    ) -> Answer:
        """The true answer to a request that must not end a session. `ask` asks the server."""


def is_dry_run(headers: Mapping[str, str]) -> bool:
    """Whether a request (its headers by lower-case names) carries the mark DRY_RUN."""
    return headers.get(DRY_RUN) is not None
