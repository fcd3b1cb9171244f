"""The endpoints of the Authentication API: tokens, their revocation, who somebody is, discovery."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.servers.front.request import bearer
from tests.servers.front.service import is_dry_run

from . import CLIENTS, TENANT
from .store import Code, Session, Store

ISSUER = f"https://{TENANT}/"
_KEY_ID = "stand-in"


class Tokens:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._settings = store.options
        # Reading it takes longer than all else here.
        key = load_pem_private_key(store.pem.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key

    def routes(self) -> list[Route]:
        return [
            Route("/oauth/token", self.token, methods=["POST"]),
            Route("/oauth/revoke", self.revoke, methods=["POST"]),
            Route("/userinfo", self.user, methods=["GET", "POST"]),
            Route("/.well-known/openid-configuration", self.discovery),
            Route("/.well-known/jwks.json", self.keys),
        ]

    # Tokens

    async def token(self, request: Request) -> Response:
        asked = await _fields(request)
        client = asked.get("client_id", "")
        if CLIENTS.get(client) != asked.get("client_secret", ""):
            return _error(401, "access_denied", "Unauthorized")
        grant = asked.get("grant_type")
        if grant == "authorization_code":
            return self._redeem(asked)
        if grant == "refresh_token":
            return self._renew(asked)
        if not grant:
            return _error(400, "invalid_request", "Missing required parameter: grant_type")
        return _error(403, "unsupported_grant_type", f"Unsupported grant type: {grant}")

    def _redeem(self, asked: dict[str, str]) -> Response:
        code = self._store.codes.get(asked.get("code", ""))
        late = code is None or code.expires_at <= self._store.now()
        if code is None or late or code.asked["client_id"] != asked["client_id"]:
            return _error(403, "invalid_grant", "Invalid authorization code")
        if asked.get("redirect_uri", "") != code.asked.get("redirect_uri", ""):
            return _error(403, "unauthorized_client", "The redirect URI is wrong.")
        if not _is_verified(code, asked):
            return _error(403, "invalid_grant", "Failed to verify code verifier")
        session = self._store.redeem(code)
        return self._granted(session, code.asked.get("nonce"))

    def _renew(self, asked: dict[str, str]) -> Response:
        token = asked.get("refresh_token", "")
        session = self._store.renewable(token)
        if session is None or session.client_id != asked["client_id"]:
            return _error(403, "invalid_grant", "Unknown or invalid refresh token.")
        if self._store.is_spent(session, token):
            self._store.end(session, "reuse")
            return _error(403, "invalid_grant", "Unknown or invalid refresh token.")
        self._store.renew(session)
        return self._granted(session, None, rotated=self._settings.rotation)

    def _granted(self, session: Session, nonce: str | None, *, rotated: bool = True) -> Response:
        access = secrets.token_urlsafe(24)
        scope = session.scope.split()
        if session.audience:
            access = self._sign(session, aud=[session.audience], scope=session.scope)
        self._store.keep(session, access)
        answer: dict[str, Any] = {"access_token": access}
        if session.refresh_tokens and rotated:
            answer["refresh_token"] = session.refresh_tokens[-1]
        if "openid" in scope:
            more = {"nonce": nonce} if nonce else {}
            shown = self._shown(session)
            answer["id_token"] = self._sign(
                session, **shown, aud=session.client_id, sid=session.sid, **more
            )
        seconds = self._settings.token_lifetime
        answer.update(scope=session.scope, token_type="Bearer")
        answer["expires_in"] = int(seconds) if seconds == int(seconds) else seconds
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    async def revoke(self, request: Request) -> Response:
        """200 for whatever token, once the client is known."""
        asked = await _fields(request)
        client = asked.get("client_id", "")
        if CLIENTS.get(client) != asked.get("client_secret", ""):
            return _error(401, "invalid_client", "Unauthorized")
        if not asked.get("token"):
            return _error(400, "invalid_request", "Missing required parameter: token")
        session = self._store.of_refresh(asked["token"])
        if session and session.client_id == client and not is_dry_run(request.headers):
            self._store.revoke(session, "revocation")
        return Response(status_code=200)

    # Who somebody is

    async def user(self, request: Request) -> Response:
        session = self._store.accepted(bearer(request.headers))
        if session is None or "openid" not in session.scope.split():
            told = 'Bearer realm="Users", error="invalid_token"'
            return PlainTextResponse("Unauthorized", 401, {"www-authenticate": told})
        return JSONResponse(self._shown(session))

    def _shown(self, session: Session) -> dict[str, Any]:
        user, scope = self._store.users[session.email], session.scope.split()
        shown: dict[str, Any] = {"sub": f"auth0|{user.id}"}
        if "profile" in scope:
            shown.update(name=user.name, nickname=user.email.partition("@")[0])
        if "email" in scope:
            shown.update(email=user.email, email_verified=True)
        return shown

    # Signatures

    def _sign(self, session: Session, **claims: Any) -> str:
        now, sub = int(self._store.now()), f"auth0|{self._store.users[session.email].id}"
        whole = {"iss": ISSUER, "sub": sub, "iat": now, "exp": now + 36000, **claims}
        if "scope" in claims:
            whole.update(azp=session.client_id, jti=secrets.token_hex(8))
            whole["exp"] = now + int(self._settings.token_lifetime)
        return jwt.encode(whole, self._key, "RS256", {"kid": _KEY_ID})

    def claims(self, token: str) -> dict[str, Any]:
        """Of an ID token of ours, be it expired; nothing for any other."""
        options: Any = {"verify_exp": False, "verify_aud": False, "verify_iat": False}
        try:
            key = self._key.public_key()
            found: dict[str, Any] = jwt.decode(token, key, ["RS256"], options)
        except jwt.InvalidTokenError:
            return {}
        return found

    async def keys(self, _: Request) -> Response:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return JSONResponse({"keys": [{**key, "kid": _KEY_ID, "use": "sig", "alg": "RS256"}]})

    async def discovery(self, _: Request) -> Response:
        names = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "oauth/token",
            "userinfo_endpoint": "userinfo",
            "jwks_uri": ".well-known/jwks.json",
            "revocation_endpoint": "oauth/revoke",
            "end_session_endpoint": "oidc/logout",
        }
        return JSONResponse(
            {
                "issuer": ISSUER,
                **{name: ISSUER + path for name, path in names.items()},
                "scopes_supported": ["openid", "profile", "offline_access", "name", "email"],
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256", "plain"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "subject_types_supported": ["public"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "none"],
            }
        )


def _is_verified(code: Code, asked: dict[str, str]) -> bool:
    """A public client needs PKCE; the secret of another does as well."""
    challenge, verifier = code.asked.get("code_challenge", ""), asked.get("code_verifier", "")
    if not challenge:
        return bool(CLIENTS[asked["client_id"]]) and not verifier
    if code.asked.get("code_challenge_method", "plain") == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return secrets.compare_digest(challenge.encode(), verifier.encode())


async def _fields(request: Request) -> dict[str, str]:
    """Of a form or a JSON object; both are taken."""
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            given = json.loads(await request.body())
        except ValueError:
            given = {}
        items = given.items() if isinstance(given, dict) else ()
        return {name: text for name, text in items if isinstance(text, str)}
    return {name: str(text) for name, text in (await request.form()).items()}


def _error(status: int, error: str, told: str) -> Response:
    return JSONResponse({"error": error, "error_description": told}, status)
