"""What tests ask about, of the package's own tables. Only once Django is set up."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from oauth2_provider.models import (
    AccessToken,
    Application,
    DeviceGrant,
    Grant,
    IDToken,
    RefreshToken,
)

from tests.servers.front.store import FIRST

from .application import CLIENT_ID

# Where the clients with an authorization code are led back to, the first at any port.
_CODE_CLIENTS = {
    "sessionkeeper-loopback": "http://127.0.0.1/ http://127.0.0.1/callback http://[::1]/callback",
    "sessionkeeper-paste": "https://app.home-demo.example/signed-in",
}

_reuses: Counter[str] = Counter()


def add_first() -> None:
    """The clients, and the accounts of every stand-in, where there are none yet."""
    for client_id, redirect_uris in _CODE_CLIENTS.items():
        Application.objects.get_or_create(
            client_id=client_id,
            defaults={
                "name": "Sessionkeeper",
                "client_type": Application.CLIENT_PUBLIC,
                "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
                "redirect_uris": redirect_uris,
                "algorithm": Application.RS256_ALGORITHM,
            },
        )
    Application.objects.get_or_create(
        client_id=CLIENT_ID,
        defaults={
            "name": "Sessionkeeper",
            "client_type": Application.CLIENT_PUBLIC,
            "authorization_grant_type": Application.GRANT_DEVICE_CODE,
            "algorithm": Application.RS256_ALGORITHM,
        },
    )
    if not User.objects.exists():
        for email, password, name in FIRST:
            add_user(email, password, name)


def add_user(email: str, password: str, name: str) -> None:
    user, _ = User.objects.get_or_create(username=email, defaults={"email": email})
    user.first_name = name or email.partition("@")[0]
    user.set_password(password)
    user.save()


def users() -> list[dict[str, str]]:
    known = User.objects.order_by("pk")
    return [{"id": str(one.pk), "email": one.email, "name": one.first_name} for one in known]


def family_of(token: str | None) -> str | None:
    """The login that a refresh token ever belonged to, or an access token that lives."""
    found = _refresh(token) or RefreshToken.objects.filter(access_token__in=_access(token)).first()
    return str(found.token_family) if found else None


def accepts(access: str | None, refresh: str | None) -> bool:
    alive = _access(access).filter(expires__gt=timezone.now()).exists()
    found = _refresh(refresh)
    return alive or (found is not None and found.revoked is None)


def note_reuse(refresh: str | None) -> None:
    """Counts a refresh token that comes to the token endpoint and was exchanged before."""
    found = _refresh(refresh)
    if found and found.revoked:
        newer = RefreshToken.objects.filter(token_family=found.token_family, pk__gt=found.pk)
        _reuses[str(found.token_family)] += newer.exists()


def sessions() -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    known = RefreshToken.objects.select_related("user", "application", "access_token")
    for token in known.order_by("pk"):
        family = str(token.token_family)
        new = {"id": family, "email": token.user.email, "client_id": token.application.client_id}
        session = found.setdefault(family, {**new, "alive": False, "reuses": _reuses[family]})
        session["alive"] |= token.revoked is None
        session["alive"] |= bool(token.access_token and not token.access_token.is_expired())
    return list(found.values())


def end(id: str) -> None:
    if not RefreshToken.objects.filter(token_family=id).exists():
        raise KeyError(id)
    RefreshToken.revoke_family(id)


def forget() -> None:
    _reuses.clear()
    for model in (DeviceGrant, Grant, RefreshToken, AccessToken, IDToken):
        model.objects.all().delete()


def _refresh(token: str | None) -> Any:
    found = RefreshToken.objects.filter(token_checksum=_checksum(token))
    return found.order_by("pk").last()


def _access(token: str | None) -> Any:
    return AccessToken.objects.filter(token_checksum=_checksum(token))


def _checksum(token: str | None) -> str:
    return hashlib.sha256((token or "").encode()).hexdigest()
