"""The answer to a request, with the names of requests.

The body is whole and was capped by the core. Neither it nor a header nor the URL's query is ever
part of a `repr` or of an error.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator


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


class Response:
    """What `Session.request` gives.

    `status_code`: the HTTP status. `url`: where the answer came from. `headers`: `Headers`.
    `content`: the body's bytes, decompressed.
    """

    __slots__ = ("content", "headers", "status_code", "url")

    def __init__(self, answer: dict[str, Any]) -> None:
        self.status_code: int = answer["status"]
        self.url: str = answer["url"]
        self.headers = Headers(answer["headers"])
        self.content: bytes = answer["body"]

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    @property
    def ok(self) -> bool:
        """The status is below 400."""
        return self.status_code < 400

    @property
    def text(self) -> str:
        """The body as text, in the charset that its type names, else UTF-8."""
        _, _, charset = (self.headers.get("content-type") or "").lower().partition("charset=")
        charset = charset.split(";")[0].strip(" \"'")
        try:
            return self.content.decode(charset or "utf-8", "replace")
        except (LookupError, ValueError):
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """What the body says in JSON. Raises `UnexpectedAnswer` for anything else."""
        from .loading import native

        read = native().from_json(self.content)
        if read is not None:
            return read[0]
        from json import loads

        # The error of `json` holds the whole body; it ends here, before ours is made.
        try:
            return loads(self.content)
        except ValueError:
            pass
        raise _unexpected(f"The server's answer (status {self.status_code}) is not JSON.")

    def raise_for_status(self) -> None:
        """Raises `UnexpectedAnswer` when the status is 400 or more."""
        if not self.ok:
            raise _unexpected(f"The server answered with status {self.status_code}.")


def _unexpected(what: str) -> Exception:
    from .errors import UnexpectedAnswer

    return UnexpectedAnswer(what)
