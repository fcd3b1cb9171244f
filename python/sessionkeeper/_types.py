"""What crosses the boundary to the compiled module, for type checkers only.

Nothing imports this file at run time. The verbs, their options and their results are the types of
src/command.rs; tests/python/boundary.json is their schema.
"""

from __future__ import annotations

from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    TypedDict,
    Union,
)

from .records import Question
from .reports import AuditEvent, LogoutReport

Stop = Callable[[], bool]
Progress = Callable[[int, int], object]
Run = Callable[[str, Dict[str, Any], Optional[Stop]], Any]
Hook = Callable[[LogoutReport], object]
Handler = Callable[[str], object]
Sink = Callable[[List[AuditEvent]], object]
Timeout = Union[float, Tuple[Optional[float], Optional[float]]]
Credentials = Callable[[], Optional[Tuple[str, Union[str, bytes]]]]
Answering = Callable[[Question], Optional[Union[str, bytes]]]
Cookies = Union[Mapping[str, str], Iterable[Any]]
Pairs = Union[Mapping[str, Any], Iterable[Sequence[Any]]]


class ErrorDict(TypedDict):
    """Safe to show and to log."""

    code: str
    message: str
    hint: str


class Opened(TypedDict, total=False):
    """The answer of `open`: one of these."""

    keeper: int
    error: ErrorDict


class Answer(TypedDict, total=False):
    """One of these: the value, the error, or the operation to poll for them, with how much of it
    is done and of how much, where it counts."""

    value: Any
    error: ErrorDict
    operation: int
    progress: tuple[int, int]
