"""The certificate authority of this stand-in, and the certificates it shows: good and bad.

The CA is made once per directory and kept there. A name nobody planned for gets a good certificate
too: a client lured to another host shall find the door open, so that the journal can tell.
"""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificates:
    def __init__(self, directory: Path, hosts: tuple[str, ...]) -> None:
        self._hosts = hosts
        self.ca_file = directory / "ca.pem"
        key_file = directory / "ca.key"
        if self.ca_file.exists() and key_file.exists():
            self._ca = trustme.CA.from_pem(self.ca_file.read_bytes(), key_file.read_bytes())
        else:
            self._ca = trustme.CA()
            self._ca.private_key_pem.write_to_path(str(key_file))
            self._ca.cert_pem.write_to_path(str(self.ca_file))
        self._stranger: trustme.CA | None = None
        self._ready: dict[tuple[str, str], ssl.SSLContext] = {}
        self.context("", hosts[0])

    def context(self, fault: str, host: str) -> ssl.SSLContext:
        """What to answer a ClientHello for `host` with; `fault` is one of TLS_FAULTS or empty."""
        names = self._hosts if host in self._hosts else (host or "localhost",)
        key = (fault, names[0])
        if key not in self._ready:
            try:
                self._ready[key] = self._make(fault, names)
            except ValueError:
                # No name a certificate can have: it gets ours, and will not like it.
                self._ready[key] = self._make(fault, self._hosts)
        return self._ready[key]

    def _make(self, fault: str, names: tuple[str, ...]) -> ssl.SSLContext:
        context = empty_context()
        now = datetime.now(timezone.utc)
        day = timedelta(days=1)
        if fault == "expired":
            leaf = self._ca.issue_cert(*names, not_before=now - 30 * day, not_after=now - day)
        elif fault == "not_yet_valid":
            leaf = self._ca.issue_cert(*names, not_before=now + day, not_after=now + 30 * day)
        elif fault == "wrong_host":
            leaf = self._ca.issue_cert("portal.example.net")
        elif fault == "unknown_ca":
            self._stranger = self._stranger or trustme.CA()
            leaf = self._stranger.issue_cert(*names)
        elif fault == "self_signed":
            with trustme.Blob(_self_signed(names, now)).tempfile() as both:
                context.load_cert_chain(both)
            return context
        else:
            leaf = self._ca.issue_cert(*names)
        if fault == "old_version":
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        leaf.configure_cert(context)
        return context


def empty_context() -> ssl.SSLContext:
    """A server context that has no certificate yet; HTTP/1.1 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _self_signed(names: tuple[str, ...], now: datetime) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
