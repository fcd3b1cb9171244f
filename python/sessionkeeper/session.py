"""The session of somebody who is logged in: who it is, and requests in their name.

The methods are named as in requests, so that an add-on need not import it. The connections, the
right credentials on the right hosts, renewal and the one retry after a 401 are the core's. The
credentials are read when asked for and never kept here.
"""

from __future__ import annotations

from .records import Account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

    from ._types import Pairs, Run, Stop, Timeout
    from .read_only import SessionCookies, SessionHeaders
    from .records import Status
    from .response import Response


class Session:
    """What `login()`, `restore()` and `renew()` give.

    `status` is what was stored when it was handed out; `Keeper.status()` has the present. The
    session stays usable after a renewal by anybody in the process, and raises `NotSignedIn` after
    a logout. Requests are in the name of the active account: after `Keeper.switch()` or the login
    of somebody else, that is not the one in `account` any more.
    """

    __slots__ = ("_run", "status")

    def __init__(self, status: Status, run: Run) -> None:
        self._run = run
        self.status = status

    def __repr__(self) -> str:
        return (
            f"<Session provider={self.provider!r} account={self.account.id!r} "
            f"state={self.state!r} expires_at={self.expires_at!r}>"
        )

    @property
    def account(self) -> Account:
        """Who is logged in."""
        return self.status.account or Account("", "", "")

    @property
    def provider(self) -> str:
        """The provider's id."""
        return self.status.provider

    @property
    def state(self) -> str:
        """ "signed_in", or "expired" until the renewal that the next request brings."""
        return self.status.state

    @property
    def expires_at(self) -> int | None:
        """When the access ends, in seconds since 1970-01-01 UTC; None where nobody knows."""
        return self.status.expires_at

    @property
    def renewable(self) -> bool:
        """Whether fresh access can be had without the user."""
        return self.status.renewable

    @property
    def headers(self) -> SessionHeaders:
        """SECRET. The headers of `open()` and those that prove who is logged in, as they are now.
        Send them to the provider's hosts only, and log none of them. They are to be looked at:
        writing to them raises `InvalidInput`."""
        from .read_only import SessionHeaders

        return SessionHeaders([list(pair) for pair in self._credentials("headers").items()])

    @property
    def cookies(self) -> SessionCookies:
        """SECRET. The cookies by name, as they are now: a new dictionary each time, to be looked at
        as well."""
        from .read_only import SessionCookies

        return SessionCookies(self._credentials("cookies"))

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        """As `close()`."""

    def close(self) -> None:
        """Does nothing: the connections are shared, and the viewer stays logged in."""

    def get(self, url: str, **options: Any) -> Response:
        """`request("GET", url, …)`."""
        return self.request("GET", url, **options)

    def head(self, url: str, *, allow_redirects: bool = False, **options: Any) -> Response:
        """`request("HEAD", url, …)`; as in requests, redirects are not followed by default."""
        return self.request("HEAD", url, allow_redirects=allow_redirects, **options)

    def options(self, url: str, **options: Any) -> Response:
        """`request("OPTIONS", url, …)`."""
        return self.request("OPTIONS", url, **options)

    def post(self, url: str, data: Any = None, json: Any = None, **options: Any) -> Response:
        """`request("POST", url, …)`."""
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url: str, data: Any = None, **options: Any) -> Response:
        """`request("PUT", url, …)`."""
        return self.request("PUT", url, data=data, **options)

    def patch(self, url: str, data: Any = None, **options: Any) -> Response:
        """`request("PATCH", url, …)`."""
        return self.request("PATCH", url, data=data, **options)

    def delete(self, url: str, **options: Any) -> Response:
        """`request("DELETE", url, …)`."""
        return self.request("DELETE", url, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: str | bytes | Pairs | None = None,
        data: str | bytes | Pairs | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: Timeout | None = None,
        allow_redirects: bool = True,
        stream: bool = False,
        stop: Stop | None = None,
        **others: Any,
    ) -> Response:
        """Sends one request with the session's credentials, https and the provider's hosts only.

        params: are added to the URL's query; text is, as it stands.
        data: the body, or the fields of a form; a file or a generator is refused. json: is written
            as JSON, and is the body.
        headers: of this request, instead of those of `open()` with the same name.
        timeout: seconds for all of it: what is not done by then, the renewal that it may need
            included, raises `Timeout`. As a tuple (connect, rest) it limits the opening of a
            connection by itself. By default that of `open()`.
        allow_redirects: False hands a redirect over as the answer that it is. A 307 or 308 gets the
            body within the same origin only; elsewhere `UnexpectedAnswer` names the new address.
        stream: the body of a good answer (2xx) is left to be read by `Response.iter_content()`,
            `iter_lines()` or `content`. The timeout then is that for the answer to begin, and for
            each piece to come; without one, `answer_timeout` is the longest pause.
        stop: asked every 100 ms; True cancels the request, and later each read of its stream.

        An answer of any status is an answer; `Response.raise_for_status()` makes an error of a bad
        one. Raises `NotSignedIn`, `PermissionNeeded`, also where the viewer has withdrawn it before
        the answer came, `SessionExpired` (with the answer as its `response`, where there
        was one), `HostNotAllowed`, `NetworkError`, `UnexpectedAnswer` for a body that is longer
        than `max_body`, and `InvalidInput`, also for a header that is the session's own, and for
        what requests knows and cannot be meant here (`verify`, `auth`, `cert`, `files`, …).
        """
        from .response import Response

        if others:
            from .unsupported import refuse

            refuse(others)
        pairs = [list(pair) for pair in headers.items()] if headers else []
        body, kind = _body(data, json)
        if kind and not any(str(name).lower() == "content-type" for name, _ in pairs):
            pairs.append(["Content-Type", kind])
        options: dict[str, Any] = {
            "account": self._account_id,
            "method": method,
            "url": _with_query(url, params) if params else url,
            "headers": pairs,
            "body": body,
        }
        if timeout is not None:
            options.update(_limits(timeout))
        if not allow_redirects:
            options["allow_redirects"] = False
        if stream:
            options["stream"] = True
        answer = self._run("request", options, stop)
        unread = None
        if answer["stream"] is not None:
            from .stream import Stream

            unread = Stream(answer["stream"], self._run, stop)
        response = Response(answer, unread)
        if answer["session_over"] is None:
            return response
        from .errors import SessionExpired

        over = answer["session_over"]
        error = SessionExpired(over["message"], over["hint"])
        error.response = response
        raise error

    def _credentials(self, which: str) -> dict[str, str]:
        values: dict[str, str] = self._run("session", {"account": self._account_id}, None)[which]
        return values

    @property
    def _account_id(self) -> str | None:
        """After a switch this session acts for nobody else."""
        account = self.status.account
        return account.id if account is not None else None


def _limits(timeout: Timeout) -> dict[str, float | None]:
    """What a timeout of requests means to the core, which says what is wrong with a number."""
    if not isinstance(timeout, (tuple, list)):
        return {"timeout": timeout}
    if len(timeout) != 2:
        from .errors import InvalidInput

        raise InvalidInput(
            "timeout is neither a number of seconds nor a pair of them.",
            "Write it as timeout=5, or as timeout=(2, 5): to connect, and for the rest.",
        )
    return {"connect_timeout": timeout[0], "timeout": timeout[1]}


def _body(data: str | bytes | Pairs | None, json: Any) -> tuple[bytes | None, str]:
    """The body and the content type that it brings along, "" for none."""
    if json is not None:
        if data:
            from .errors import InvalidInput

            raise InvalidInput("A request has one body: give data or json.")
        from .loading import native

        body = native().to_json(json)
        if body is None:
            from json import dumps

            body = dumps(json).encode()
        return body, "application/json"
    if not data:
        return None, ""
    if isinstance(data, (bytes, bytearray)):
        return bytes(data), ""
    if isinstance(data, str):
        return _bytes(data), ""
    if hasattr(data, "__next__") or hasattr(data, "read"):
        from .errors import InvalidInput

        raise InvalidInput(
            "data cannot be a file or a generator: a body is sent as a whole.",
            "Read it first, and give its bytes.",
        )
    return _bytes(_form(data, "data")), "application/x-www-form-urlencoded"


def _bytes(text: str) -> bytes:
    # The error of `encode` holds the whole text; it ends here, before ours is made.
    try:
        return text.encode()
    except UnicodeError:
        pass
    from .errors import InvalidInput

    raise InvalidInput("The body holds text that is not valid Unicode.")


def _with_query(url: str, params: str | bytes | Pairs) -> str:
    if isinstance(params, (bytes, bytearray)):
        params = "".join(chr(b) if b < 128 else f"%{b:02X}" for b in params)
    query = params if isinstance(params, str) else _form(params, "params")
    address, mark, fragment = url.partition("#")
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{joint}{query}{mark}{fragment}"


# What a form need not write in hexadecimal digits.
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


def _form(fields: Any, option: str) -> str:
    """The pairs as `urllib.parse.urlencode` writes them, whose import costs milliseconds. As in
    requests, a field that is None is not sent, and a list is sent as a field for each item."""
    pairs = fields.items() if hasattr(fields, "items") else fields
    written = []
    for pair in pairs if hasattr(pairs, "__iter__") else [None]:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            from .errors import InvalidInput

            raise InvalidInput(
                f"{option} is neither text nor pairs of names and values.",
                "Give a dictionary, a list of pairs, text or bytes.",
            )
        name, given = pair
        values = given if isinstance(given, (list, tuple, set, frozenset)) else [given]
        written += [f"{_quoted(name)}={_quoted(value)}" for value in values if value is not None]
    return "&".join(written)


def _quoted(value: Any) -> str:
    data = value if isinstance(value, bytes) else _bytes(str(value))
    return "".join(chr(b) if b in _PLAIN else "+" if b == 32 else f"%{b:02X}" for b in data)
