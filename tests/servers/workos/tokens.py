"""Access tokens (JWT, RS256), the key set that checks them, and what looks like WorkOS's ids."""

from __future__ import annotations

import base64
import secrets
import string
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

_LETTERS = string.ascii_letters + string.digits
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# No vowels, no digits: RFC 8628, section 6.1.
_READABLE = "BCDFGHJKLMNPQRSTVWXZ"


class SigningKey:
    """One RSA key with a self-signed certificate, kept in a file."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(_new_key())
        pem = file.read_bytes()
        self._key = serialization.load_pem_private_key(pem, None)
        self._certificate = x509.load_pem_x509_certificate(pem)
        fingerprint = self._certificate.fingerprint(hashes.SHA256())
        self._fingerprint = base64url(fingerprint)
        self._kid = "sso_oidc_key_pair_01" + fingerprint.hex()[:24].upper()

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._key, "RS256", headers={"kid": self._kid})

    def claims(self, token: str) -> dict[str, Any] | None:
        """Those of a token that was signed here, whether or not it still holds."""
        never = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf", "verify_aud"), False)
        try:
            public = self._certificate.public_key()
            return jwt.decode(token, public, algorithms=["RS256"], options=never)
        except jwt.InvalidTokenError:
            return None

    def key_set(self) -> dict[str, Any]:
        """RFC 7517, as /sso/jwks/{client_id} answers."""
        public = jwt.algorithms.RSAAlgorithm.to_jwk(self._certificate.public_key(), as_dict=True)
        chain = self._certificate.public_bytes(serialization.Encoding.DER)
        key = {
            "alg": "RS256",
            "kty": "RSA",
            "use": "sig",
            "x5c": [base64.b64encode(chain).decode("ascii")],
            "n": public["n"],
            "e": public["e"],
            "kid": self._kid,
            "x5t#S256": self._fingerprint,
        }
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


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _new_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.workos.com")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=3650))
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    signed = builder.sign(key, hashes.SHA256())
    return private + signed.public_bytes(serialization.Encoding.PEM)
