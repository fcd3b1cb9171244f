"""Stand-in for another OpenID Connect issuer that nobody here wrote: Django with
django-oauth-toolkit. The package is configured, as its documentation says, and not changed.

    python -m tests.servers django-oauth [--port N] [--control-port N] [--directory D]

The issuer is https://login.django-demo.example/o, with a path. Its OpenID metadata name neither the
revocation endpoint, which RFC 8414's do, nor the device endpoint, which no document does: a
provider file has to. Access tokens are opaque; e-mail and name are at userinfo alone.

Clients, all public: "sessionkeeper" with the device code; with the authorization code and PKCE by
S256 "sessionkeeper-loopback", led back to http://127.0.0.1/ or /callback at any port, and
"sessionkeeper-paste", to https://app.home-demo.example/signed-in. The answer has no `iss`. All have
refresh tokens and the scopes openid email profile offline_access. Refresh tokens rotate, and one
that is used twice ends its login.

Parts: application (Django's settings and addresses), claims (what userinfo tells), logins (what
tests ask about), service (as the front sees it).

A session is a login, a family of refresh tokens in the package's words:
    {"id", "email", "client_id", "alive", "reuses"}
alive       something of it can still be used
reuses      how often a used refresh token came to the token endpoint
"""
