"""What the issuer tells of its users, as the package's documentation adds it: at userinfo. The ID
token holds `sub` alone (OpenID Connect Core 5.4)."""

from __future__ import annotations

from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    def get_userinfo_claims(self, request: Any) -> dict[str, Any]:
        claims: dict[str, Any] = super().get_userinfo_claims(request)
        if "email" in request.scopes:
            claims["email"] = request.user.email
        if "profile" in request.scopes:
            claims["name"] = request.user.first_name
        return claims
