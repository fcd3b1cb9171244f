"""The services that can be signed in to: those that are built in, and files that could be added.

What a provider file means is checked in the core, for `open()` and for `check_provider()` alike.
The check also tells where in the file a problem is, and what a file that can be used does.
"""

from __future__ import annotations

import os

from . import loading
from .configuration import parameter_values
from .errors import InvalidInput
from .records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

    from .shapes import CheckShape, ProblemShape, ProviderSummary


class Problem(Record):
    """What is wrong in a provider file, and what would be right. Where nobody knows, `key` is empty
    and `line`, counted from 1, is 0."""

    __slots__ = ("key", "message", "hint", "line")  # noqa: RUF023 - in order
    key: str
    message: str
    hint: str
    line: int

    @classmethod
    def from_shape(cls, shape: ProblemShape) -> Problem:
        return cls(shape["key"], shape["message"], shape["hint"], shape["line"])


class ProviderCheck(Record):
    """What is to say about a provider file: `problems` that keep it from being used, `advice` that
    need not be followed, and a `summary` of what it does."""

    __slots__ = ("id", "name", "problems", "advice", "summary")  # noqa: RUF023 - in order
    id: str
    name: str
    problems: tuple[Problem, ...]
    advice: tuple[str, ...]
    summary: tuple[str, ...]

    @classmethod
    def from_shape(cls, shape: CheckShape) -> ProviderCheck:
        problems = tuple(Problem.from_shape(problem) for problem in shape["problems"])
        advice, summary = tuple(shape["advice"]), tuple(shape["summary"])
        return cls(shape["id"], shape["name"], problems, advice, summary)

    @property
    def usable(self) -> bool:
        """Whether `open()` takes it, given the same parameters."""
        return not self.problems


def providers() -> list[ProviderSummary]:
    """The built-in services."""
    summaries: list[ProviderSummary] = loading.native().providers()
    return summaries


def check_provider(
    file: str | os.PathLike[str] | Mapping[str, Any],
    parameters: Mapping[str, str] | None = None,
) -> ProviderCheck:
    """Checks a provider file, or a dictionary of its form, without using it.

    `parameters` are those that `open()` would be given; without any, the examples of the file take
    their place. Raises `InvalidInput` for a file that cannot be read.
    """
    values = parameter_values(parameters or {})
    if isinstance(file, dict):
        return ProviderCheck.from_shape(loading.native().check_provider(file, values))
    if isinstance(file, (str, os.PathLike)):
        data = _read(os.fspath(file))
    else:
        raise InvalidInput("The provider file is not given as a path or a dictionary.")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return ProviderCheck("", "", (Problem("", *_NOT_UTF8, line),), (), ())
    return ProviderCheck.from_shape(loading.native().check_provider(text, values))


_NOT_UTF8 = ("the text is not UTF-8", "Save the file as UTF-8; TOML knows no other encoding.")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its path cannot be used"
    raise InvalidInput(
        f"The provider file cannot be read: {reason}.", "Give the path of a .toml file."
    )
