"""What a test can change about the stand-in: lifetimes, names, page variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.servers.front import settings


@dataclass
class Settings(settings.Settings):
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = {"graphql_unauthenticated": ("401", "errors")}

    jwt_lifetime: float = 24 * 3600
    remember_lifetime: float = 180 * 24 * 3600
    # "angel_jwt" is the older name.
    jwt_cookie_name: str = "angel_jwt_v2"
    # How the GraphQL service says "who are you": status 401, or 200 with an error list.
    graphql_unauthenticated: str = "401"
    # The e-mail page has no hidden input `state`; the cookie angelSession holds the same value.
    no_state_input: bool = False
    # The password page has no `_csrf_token`, or no `state`. The POST is checked all the same.
    no_csrf: bool = False
    no_password_state: bool = False
    # The callback sets every cookie but the JWT.
    login_without_jwt: bool = False
    renew_without_jwt: bool = False
    # Laid over the claims of a JWT (null removes one); the server keeps to its own record.
    jwt_claims: dict[str, Any] = field(default_factory=dict)
    # Sent in place of the JWT, as it is; the server accepts it while the session lives.
    jwt_text: str = ""
