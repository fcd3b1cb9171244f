"""The answer to a request, with the names of requests.

The body is whole and was capped by the core, or is streamed. Neither it nor a header nor the URL's
query is ever part of a `repr` or of an error.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator

    from .stream import Stream


class Headers:
    """The headers of an answer by name, whatever their case. Several of one are joined by ", "."""

    __slots__ = ("_values",)

    def __init__(self, pairs: list[list[str]]) -> None:
        values: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            known = values.get(name.lower())
            values[name.lower()] = (known[0], f"{known[1]}, {value}") if known else (name, value)
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Headers {', '.join(self)}>"

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value, or `default` when there is none."""
        known = self._values.get(name.lower())
        return known[1] if known else default

    def items(self) -> list[tuple[str, str]]:
        """The headers as (name, value), in the order they came."""
        return list(self._values.values())

    def keys(self) -> list[str]:
        """The names as the server wrote them."""
        return list(self)

    def values(self) -> list[str]:
        """The values, in the order of the names."""
        return [value for _, value in self._values.values()]


class Response:
    """What `Session.request` gives. One that is streamed and not read to its end has to be closed:
    by `close()`, by `with`, or by forgetting it. Closing another one does nothing.

    `status_code`: the HTTP status, and `reason` what the standard calls it. `url`: where the answer
    came from. `headers`: `Headers`. `is_unauthenticated`: the answer says that the session is not
    accepted, by its status 401 or in the words of the service. A streamed body is not looked into.
    """

    __slots__ = (
        "_content",
        "_encoding",
        "_stream",
        "headers",
        "is_unauthenticated",
        "reason",
        "status_code",
        "url",
    )

    def __init__(self, answer: dict[str, Any], stream: Stream | None = None) -> None:
        self.status_code: int = answer["status"]
        self.reason: str = answer["reason"]
        self.url: str = answer["url"]
        self.headers = Headers(answer["headers"])
        self.is_unauthenticated: bool = answer["is_unauthenticated"]
        self._content: bytes | None = answer["body"] if stream is None else None
        self._encoding: str | None = None
        self._stream = stream

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    def __bool__(self) -> bool:
        """As `ok`, which `if response:` asks in requests."""
        return self.ok

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives a streamed answer back; what of it has not been read cannot be any more."""
        if self._stream is not None:
            self._stream.close()

    @property
    def ok(self) -> bool:
        """The status is below 400."""
        return self.status_code < 400

    @property
    def content(self) -> bytes:
        """The body's bytes, unpacked. Of a streamed one what is left to read, up to the keeper's
        `max_body`; raises what `iter_content` raises, `UnexpectedAnswer` for more, and
        `InvalidInput` where it was read or closed before."""
        if self._content is None:
            assert self._stream is not None  # noqa: S101 - the body is in one of the two
            self._content = self._stream.read_all()
        return self._content

    @property
    def encoding(self) -> str:
        """The charset that the body's type names, else "utf-8"; another one can be set."""
        if self._encoding is None:
            _, _, charset = (self.headers.get("content-type") or "").lower().partition("charset=")
            self._encoding = charset.split(";")[0].strip(" \"'") or "utf-8"
        return self._encoding

    @encoding.setter
    def encoding(self, name: str | None) -> None:
        self._encoding = name

    @property
    def text(self) -> str:
        """The body as text, by its `encoding`; by UTF-8 where Python does not know that one."""
        try:
            return self.content.decode(self.encoding, "replace")
        except (LookupError, ValueError):
            return self.content.decode("utf-8", "replace")

    def iter_content(
        self, chunk_size: int | None = 65536, decode_unicode: bool = False
    ) -> Iterator[Any]:
        """The body as it arrives, at most `chunk_size` bytes at a time; None: as much as there is.
        With `decode_unicode` it is text, by the `encoding`.

        A streamed body is not kept, so it is given once. Raises `Timeout` when the next piece does
        not come in time, `Cancelled` after `stop` said True, `NotSignedIn` when the session ended
        meanwhile, `PermissionNeeded` when the viewer has withdrawn her permission, `NetworkError`
        when the body breaks off. After an error nothing is left to read. What had arrived by then,
        256 KiB at most, is given first; nothing is after `close()`.
        """
        from .stream import decoded

        if chunk_size is not None and (type(chunk_size) is not int or chunk_size < 1):
            from .errors import InvalidInput

            raise InvalidInput("chunk_size is not a number of bytes.", "Give 1 or more, or None.")
        pieces = self._pieces(chunk_size)
        return decoded(pieces, self.encoding) if decode_unicode else pieces

    def iter_lines(
        self,
        chunk_size: int | None = 65536,
        decode_unicode: bool = False,
        delimiter: Any = None,
    ) -> Iterator[Any]:
        """The lines of the body as they arrive, without their ends, bytes or text. Raises what
        `iter_content` raises, and `UnexpectedAnswer` for a line of more than 64 MiB."""
        from .stream import lines

        return lines(self.iter_content(chunk_size, decode_unicode), delimiter)

    def json(self) -> Any:
        """What the body says in JSON. Raises `UnexpectedAnswer` for anything else, and what
        `content` raises."""
        from .loading import native

        content = self.content
        read = native().from_json(content)
        if read is not None:
            return read[0]
        from json import loads

        # The error of `json` holds the whole body; it ends here, before ours is made.
        try:
            return loads(content)
        except ValueError:
            pass
        from .errors import UnexpectedAnswer

        raise UnexpectedAnswer(f"The server's answer (status {self.status_code}) is not JSON.")

    def raise_for_status(self) -> None:
        """Raises `HttpError` when the status is 400 or more."""
        if self.ok:
            return
        from .errors import HttpError

        error = HttpError(f"The server answered with status {self.status_code}.")
        error.response = self
        raise error

    def _pieces(self, size: int | None) -> Iterator[bytes]:
        content, stream = self._content, self._stream
        if content is not None:
            step = size or len(content) or 1
            yield from (content[at : at + step] for at in range(0, len(content), step))
            return
        assert stream is not None  # noqa: S101 - the body is in one of the two
        piece = stream.read(size)
        while piece:
            yield piece
            piece = stream.read(size)
