"""The services that one can log in to: those that are built in, those of provider files, and files
that could be added.

What a provider file means is checked in the core, for `open()` and for `check_provider()` alike.
The check also tells where in the file a problem is, and what a file that can be used does.
"""

from __future__ import annotations

import os

from .errors import InvalidInput
from .loading import in_kodi, native
from .operation import value_of
from .records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping


class Parameter(Record):
    """What a provider file leaves open. Without a `default` it has to be given; by the viewer where
    it is `asked`, else by whoever brings the service. A `secret` one is not to be shown."""

    name: str
    about: str
    example: str
    default: str | None
    asked: bool = False
    secret: bool = False


class Provider(Record):
    """A service, as its provider file describes it. `logins` are the kinds of ways in,
    "password", "device_code" and "authorization_code", the preferred one first; `everywhere` says
    whether the account's other sessions can be ended as well, and `leaves` what a logout does not
    end, if anything. `audience` is "viewer" or "developer"; `addon` is the id of the add-on that
    brings it, empty where none does, and `file` is empty for a built-in one."""

    id: str
    name: str
    website: str
    logins: tuple[str, ...]
    renewable: bool
    everywhere: bool
    leaves: str
    parameters: tuple[Parameter, ...]
    audience: str = "viewer"
    revision: int = 1
    addon: str = ""
    file: str = ""


class Problem(Record):
    """What is wrong in a provider file, and what would be right. Where nobody knows, `key` is empty
    and `line`, counted from 1, is 0."""

    key: str
    message: str
    hint: str
    line: int


class UnusedFile(Problem):
    """A provider file that is not used, and what would have to be mended. `addon` is the id of the
    add-on that brings it."""

    file: str
    addon: str


class ProviderCheck(Record):
    """What there is to say about a provider file: `problems` that keep it from being used,
    `advice` that need not be followed, and a `summary` of what it does."""

    id: str
    name: str
    problems: tuple[Problem, ...]
    advice: tuple[str, ...]
    summary: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether `open()` takes it, given the same parameters."""
        return not self.problems


class Catalogue(Record):
    """All services that can be opened by their ids, in the order to show them in; and the provider
    files that are not used."""

    providers: tuple[Provider, ...]
    unused: tuple[UnusedFile, ...]


def providers() -> list[Provider]:
    """The services that can be opened by their ids, in the order to show them in: those that are
    built in, in Kodi those that add-ons bring, and the user's own provider files. Needs no keeper
    and no network."""
    return list(read().providers)


def read() -> Catalogue:
    """The same, with the provider files that are not used."""
    found = None
    if in_kodi():
        from .kodi import sources

        found = sources.everywhere()
    return Catalogue.from_dict(value_of(native().providers(found)))


def check_provider(
    file: str | os.PathLike[str] | Mapping[str, Any],
    parameters: Mapping[str, str] | None = None,
) -> ProviderCheck:
    """Checks a provider file, or a dictionary of its form, without using it.

    `parameters` are those that `open()` would be given; without any, the examples of the file take
    their place. Raises `InvalidInput` for a file that cannot be read, and for
    a dictionary that holds more than plain data.
    """
    definition: Any = file
    if not isinstance(file, dict):
        data = _content(file)
        try:
            definition = data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            return ProviderCheck("", "", (Problem("", *_NOT_UTF8, line),), (), ())
    checked = native().check_provider(definition, parameters or {})
    return ProviderCheck.from_dict(value_of(checked))


_NOT_UTF8 = ("the text is not UTF-8", "Save the file as UTF-8; TOML knows no other encoding.")


def _content(path: Any) -> bytes:
    try:
        with open(os.fspath(path), "rb") as file:
            return file.read()
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its path cannot be used"
    raise InvalidInput(
        f"The provider file cannot be read: {reason}.", "Give the path of a .toml file."
    )
