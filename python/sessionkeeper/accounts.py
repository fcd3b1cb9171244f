"""The accounts of a data directory: several may be kept, one of a provider is active."""

from __future__ import annotations

from .errors import InvalidInput
from .records import Account, Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shapes import StoredShape


class StoredAccount(Record):
    """An account that is signed in on this device.

    `active` is the one that `Keeper.session` is of. `state` is "signed_in" or "expired": the access
    has ended by itself. `expires_at` is when the access ends, `signed_in_at` when this login was.
    """

    __slots__ = (  # noqa: RUF023 - the slots are the fields, in order
        "provider",
        "account",
        "active",
        "state",
        "expires_at",
        "signed_in_at",
    )
    provider: str
    account: Account
    active: bool
    state: str
    expires_at: int | None
    signed_in_at: int | None

    @classmethod
    def from_shape(cls, shape: StoredShape) -> StoredAccount:
        return cls(
            shape["provider"],
            Account.from_shape(shape["account"]),
            shape["active"],
            shape["state"],
            shape["expires_at"],
            shape["signed_in_at"],
        )


def checked_id(given: object) -> str:
    """The id as the core takes it. Raises `InvalidInput`."""
    if isinstance(given, str) and given:
        return given
    raise InvalidInput(
        "An account is named by its id, which is text.",
        "Keeper.accounts() gives the ids: accounts()[0].account.id",
    )
