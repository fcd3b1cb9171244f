"""The user name and the password as the core takes them, or a reason why it cannot.

The password is made into bytes once. No message and no exception here repeats any of it.
"""

from __future__ import annotations

from .errors import InvalidInput

_UNUSABLE = ("\0", "\r", "\n")


def username(given: object) -> str:
    """Raises `InvalidInput` for what no service could take."""
    if not isinstance(given, str):
        raise InvalidInput("The user name must be text.")
    if not given.strip():
        raise InvalidInput("The user name is empty.", "Enter the name you sign in with.")
    if _utf8(given) is None or any(mark in given for mark in _UNUSABLE):
        raise InvalidInput("The user name holds a character that cannot be used.")
    return given


def password(given: object) -> bytes:
    """SECRET. Raises `InvalidInput` for what no service could take."""
    secret = _utf8(given) if isinstance(given, str) else given
    if isinstance(secret, bytearray):
        secret = bytes(secret)
    if secret is not None and not isinstance(secret, bytes):
        raise InvalidInput("The password must be text or bytes.")
    if secret == b"":
        raise InvalidInput("The password is empty.", "Enter your password.")
    if secret is None or not _is_utf8(secret) or any(mark.encode() in secret for mark in _UNUSABLE):
        raise InvalidInput("The password holds a character that cannot be used.")
    return secret


# UnicodeError keeps the text that it was raised for. So these two end it before an error of ours is
# made, which would otherwise carry it as its context.
def _utf8(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeError:
        return None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeError:
        return False
    return True
