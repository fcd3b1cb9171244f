"""Stand-in for Trakt (api.trakt.tv), from docs.trakt.tv as of October 2026.

    python -m tests.servers trakt [--port N] [--control-port N] [--directory D] [--with-parent]

    POST /oauth/device/code   JSON client_id -> device_code, user_code, verification_url, …
    POST /oauth/device/token  JSON code, client_id, client_secret -> the tokens, or by the status
                              alone: 400 pending, 404 invalid, 409 already used, 410 expired,
                              418 denied, 429 slow down
    POST /oauth/token         JSON grant_type refresh_token -> both tokens new; 400 invalid_grant
    POST /oauth/revoke        JSON token (an access token), client_id, client_secret -> always
                              200 {}; anything wrong with them ends nothing
    GET  /users/settings, /users/me   trakt-api-key, trakt-api-version: 2, bearer

Every request needs a User-Agent (403 and a page of Cloudflare's without) and Content-Type:
application/json (412 without). What no method is, is answered 405, as their table of codes has it.

Stricter than what is known: a revocation takes an access token that still holds, nothing else; a
renewal ends the access token before it (set renewal_ends_access=false for the contrary). Not
known, and left out: the codes of authorization with a redirect, and all of the rest of the API.
"""
