"""What the keeper reports: small immutable records that hold no secret.

They compare by value. All times are whole seconds since 1970-01-01 UTC, or None where nobody knows.
An account's name and e-mail address are kept out of `repr`, because logs get shared.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, NoReturn, TypeVar

    R = TypeVar("R", bound="Record")


class Record:
    """The annotations of a subclass are its fields, in order; those at the end that have a default
    may be left out. `_private` names those that `repr` leaves out. A field of another record's type
    is read as that record."""

    _fields: tuple[str, ...] = ()
    _nested: Mapping[str, type[Record]] = {}
    _private: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        fields = dict.fromkeys((*cls._fields, *cls.__annotations__))
        cls._fields = tuple(fields)
        _KINDS[cls.__name__] = cls
        nested = dict(cls._nested)
        for name, kind in cls.__annotations__.items():
            # "Account | None" and "tuple[TaskResult, ...]" name their record.
            record = _KINDS.get(kind.replace("tuple[", "").partition(",")[0].partition(" ")[0])
            if record is not None:
                nested[name] = record
        cls._nested = nested

    def __init__(self, *values: object) -> None:
        left_out = self._fields[len(values) :]
        values += tuple(vars(type(self))[name] for name in left_out if name in vars(type(self)))
        if len(values) != len(self._fields):
            raise TypeError(f"{type(self).__name__} has the fields {', '.join(self._fields)}")
        self.__dict__.update(zip(self._fields, values))

    @classmethod
    def from_dict(cls: type[R], given: Mapping[str, Any]) -> R:  # noqa: PYI019 - Python 3.8
        """Reads what the compiled module gives."""
        values = []
        for name in cls._fields:
            value, record = given[name], cls._nested.get(name)
            if isinstance(value, list):
                value = tuple(value if record is None else map(record.from_dict, value))
            elif record is not None and value is not None:
                value = record.from_dict(value)
            values.append(value)
        return cls(*values)

    def as_dict(self) -> dict[str, Any]:
        """The record as plain data, nested records and tuples too."""
        return {name: _plain(value) for name, value in self.__dict__.items()}

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.values()))

    def __repr__(self) -> str:
        shown = (f"{n}={v!r}" for n, v in self.__dict__.items() if n not in self._private)
        return f"{type(self).__name__}({', '.join(shown)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple(self.__dict__.values())


_KINDS: dict[str, type[Record]] = {}


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return value.as_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


class Account(Record):
    """Who is logged in. `id` is the provider's own and stable."""

    _private = ("name", "email")
    id: str
    name: str
    email: str

    @property
    def label(self) -> str:
        """What the user knows the account by: the e-mail address, else the name, else the id."""
        return self.email or self.name or self.id


class Status(Record):
    """What is stored.

    `state` is "signed_in", "signed_out" or "expired": the access has ended by itself, and
    `renewable` says whether it can be brought back without the user. To an add-on in Kodi it is
    "needs_permission" where somebody is logged in and the viewer has not allowed the add-on to use
    the account, which it is not told then; see `Keeper.request_access()`. `expires_at` is when the
    access ends. `cookies` are names. `pending_revocations` counts the logouts that the server has
    not confirmed yet.
    """

    state: str
    provider: str
    account: Account | None
    expires_at: int | None
    renewable: bool
    cookies: tuple[str, ...]
    pending_revocations: int

    @property
    def usable(self) -> bool:
        """Logged in, or expired and able to come back without the user."""
        return self.state == "signed_in" or (self.state == "expired" and self.renewable)


class Question(Record):
    """What `answer` of `Keeper.login()` gets.

    `kind` says what is asked for, for a user interface with words of its own: "totp" (the code that
    an authenticator app shows), "mail" or "sms" (a code that was sent), "pin" (which nobody should
    see while it is typed) or "text". `about` says it in English, as in "the code from your
    authenticator app"; it is what there is to show for "text".
    `tries_left` is how often it can be answered, this time included; `again` is True where the
    answer before was wrong. Later than `expires_at`, in seconds since 1970-01-01 UTC, no answer is
    taken.
    """

    kind: str
    about: str
    tries_left: int
    again: bool
    expires_at: int
