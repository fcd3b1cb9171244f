"""The body of an answer that is read piece by piece: by number from the core, as bytes, text or
lines. What was read is let go of; nothing is read ahead of who reads, but for the last piece.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import AnyStr, Iterable, Iterator

    from ._types import Run, Stop

# What is asked of the core at once, in bytes, however small the pieces are that are wanted.
_READ = 256 << 10
# No line is longer, in bytes or characters: one without end would fill the memory.
_LONGEST_LINE = 64 << 20


class Stream:
    """A body that the core has open. It is closed when it was read, when a read failed, by
    `close()`, or with the last reference to it."""

    __slots__ = ("_at", "_is_begun", "_is_closed", "_is_done", "_left", "_number", "_run", "_stop")

    def __init__(self, number: int, run: Run, stop: Stop | None) -> None:
        self._number = number
        self._run = run
        self._stop = stop
        self._is_begun = self._is_closed = self._is_done = False
        # The last piece, and how much of it has been given.
        self._left, self._at = b"", 0

    def __del__(self) -> None:
        # An interpreter that ends has nothing left to close with.
        try:  # noqa: SIM105 - importing contextlib costs more
            self.close()
        except Exception:  # noqa: BLE001, S110 - as above
            pass

    def close(self) -> None:
        """Gives the connection back. What has not been read by now cannot be any more."""
        self._left, self._at = b"", 0
        self._is_closed = True
        if not self._is_done:
            self._run("close_stream", {"stream": self._number}, None)
            self._is_done = True

    def read(self, size: int | None) -> bytes:
        """What comes next, at most `size` bytes, or as much as there is; b"" at the end, and once
        it was closed."""
        self._is_begun = True
        if self._at == len(self._left):
            self._left, self._at = self._ask(max(size or 0, _READ)), 0
        end = len(self._left) if size is None else self._at + size
        piece = self._left[self._at : end]
        self._at += len(piece)
        return piece

    def read_all(self) -> bytes:
        """All that is left, up to the keeper's `max_body`. Raises where that is nothing because
        the body was read or closed before: nobody takes it for an empty one."""
        begun, self._left = self._left[self._at :], b""
        self._at = 0
        whole = begun + self._ask(None)
        if whole or not (self._is_begun or self._is_closed):
            return whole
        from .errors import InvalidInput

        how = "closed" if self._is_closed else "read piece by piece"
        raise InvalidInput(
            f"There is nothing left to read of this answer: it was {how} before.",
            "Keep what you read of it, or leave out stream=True.",
        )

    def _ask(self, size: int | None) -> bytes:
        """At least a byte, unless that was all."""
        body = b""
        while not body and not self._is_done:
            piece = self._run("read_stream", {"stream": self._number, "size": size}, self._stop)
            self._is_done = piece["is_last"]
            body = piece["body"]
        return body


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[str]:
    """The text of the pieces, whose ends may lie within a character."""
    from codecs import getincrementaldecoder

    try:
        decoder = getincrementaldecoder(encoding)("replace")
    except LookupError:
        decoder = getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        text = decoder.decode(piece)
        if text:
            yield text
    text = decoder.decode(b"", True)  # that was all
    if text:
        yield text


def lines(pieces: Iterable[AnyStr], delimiter: AnyStr | None) -> Iterator[AnyStr]:
    """The lines without what ends them: what `splitlines()` takes for an end, or the delimiter."""
    begun: list[AnyStr] = []
    length, held = 0, None
    for piece in pieces:
        found, held = _split(piece if held is None else held + piece, delimiter)
        for line in found[:-1]:
            begun.append(line)
            yield line[:0].join(begun)
            begun, length = [], 0
        begun.append(found[-1])
        length += len(found[-1])
        if length > _LONGEST_LINE:
            from .errors import UnexpectedAnswer

            raise UnexpectedAnswer("A line of the server's answer is longer than 64 MiB.")
    if held:
        begun.append(held if delimiter else held[:0])
    # A return at the very end ends a line, be it empty.
    if any(begun) or (held and not delimiter):
        yield begun[0][:0].join(begun)


def _split(text: AnyStr, delimiter: AnyStr | None) -> tuple[list[AnyStr], AnyStr]:
    """The lines, of which the last has no end yet and may be empty; and what may be the beginning
    of its end."""
    if delimiter:
        found = text.split(delimiter)
        end = max(len(found[-1]) - len(delimiter) + 1, 0)
        held = found[-1][end:]
        found[-1] = found[-1][:end]
        return found, held
    held = text[-1:] if text[-1:] in (b"\r", "\r") else text[:0]
    text = text[: len(text) - len(held)]
    found = text.splitlines()
    if text[-1:].splitlines() in ([], [text[:0]]):
        found.append(text[:0])
    return found, held
