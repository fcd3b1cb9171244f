"""Stand-in for any OpenID Connect issuer: oidc-provider, a certified server that nobody here wrote.

Node (18 or later) runs it, with server.mjs around it; the package is configured and not changed.
The issuer is https://op.oidc-demo.example. Endpoints are those of oidc-provider: /device/auth,
/auth, /token, /token/revocation, /token/introspection, /session/end, /me, and /device for people.

Clients: "sessionkeeper" (public) and "sessionkeeper-confidential" (form-posted secret "a secret
that is in this file") with the device code; with the authorization code and PKCE by S256, both
public, "sessionkeeper-loopback", led back to http://127.0.0.1/ or /callback at any port, and
"sessionkeeper-paste", to https://app.home-demo.example/signed-in. All have refresh tokens and the
scopes openid email profile offline_access; an authorization request gets a refresh token only with
prompt=consent.

Parts: install (the package), service (the process, as the front sees it), device and code
(clients, for the stand-in's own tests). In Node: server, configuration,
interactions and pages (login, consent), adapter over store (state.jsonl), ledger (what tests ask
about), twists (settings that make answers differ), wishes (what service.py asks).

A session is a login, a grant in oidc-provider's words:
    {"id", "email", "client_id", "begun_at", "alive", "ended_by", "reuses"}
alive       something of it can still be used
ended_by    "" or "revocation", "end_session_confirm", "reuse", "somebody else"
reuses      how often a used refresh token came to the token endpoint; find_reuse() has the sum

oidc-provider never sends slow_down, nor an `interval`; the settings slow_down and device_interval
do. A code that one browser confirmed is not for another: after a wrong password approve() must be
given a new code. Revoking an access token ends the refresh token too.
"""

from __future__ import annotations

from typing import Any


def find_reuse(server: Any) -> int:
    """How often a used refresh token came to the token endpoint, since the last reset()."""
    return sum(session["reuses"] for session in server.sessions())
