"""Access tokens (JWT, RS256), the key set that checks them, and what looks like WorkOS's ids."""

from __future__ import annotations

import hashlib
import secrets
import string
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

_PLAIN_PEM = (
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)
_LETTERS = string.ascii_letters + string.digits
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# No vowels, no digits: RFC 8628, section 6.1.
_READABLE = "BCDFGHJKLMNPQRSTVWXZ"


class SigningKey:
    """One RSA key, kept in a file."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            file.write_bytes(made.private_bytes(*_PLAIN_PEM))
        self._key: Any = serialization.load_pem_private_key(file.read_bytes(), None)
        self._public = self._key.public_key()
        shown = jwt.algorithms.RSAAlgorithm.to_jwk(self._public, as_dict=True)
        self._numbers = {"n": shown["n"], "e": shown["e"]}
        self._kid = "sso_oidc_key_pair_01" + hashlib.sha256(shown["n"].encode()).hexdigest()[:24]

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._key, "RS256", headers={"kid": self._kid})

    def claims(self, token: str) -> dict[str, Any] | None:
        """Those of a token that was signed here, whether or not it still holds."""
        never = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud"), False)
        try:
            return jwt.decode(token, self._public, algorithms=["RS256"], options=never)
        except jwt.InvalidTokenError:
            return None

    def key_set(self) -> dict[str, Any]:
        """RFC 7517, as /sso/jwks/{client_id} answers, without its certificate."""
        key = {"alg": "RS256", "kty": "RSA", "use": "sig", "kid": self._kid, **self._numbers}
        return {"keys": [key]}


def new_id(kind: str) -> str:
    """Such as session_01H93ZY4F80QPBEZ1R5B2SHQG8."""
    return f"{kind}_01" + "".join(secrets.choice(_CROCKFORD) for _ in range(24))


def opaque(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def new_user_code() -> str:
    """Such as RRGQ-BJVS."""
    letters = "".join(secrets.choice(_READABLE) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"
