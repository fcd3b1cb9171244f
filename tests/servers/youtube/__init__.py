"""Stand-in for Google's login on limited-input devices, and for YouTube's channels behind it.

    python -m tests.servers youtube [--port N] [--control-port N] [--directory D] [--with-parent]

oauth2.googleapis.com, bodies as a form or as JSON
    POST /device/code  client_id, scope -> device_code, user_code, verification_url, …
    POST /token        client_id, client_secret, device_code and the device grant (or `code` and
                       the grant of before RFC 8628): 428 authorization_pending, 403 slow_down,
                       403 access_denied, 400 invalid_grant, 401 invalid_client; or
                       grant_type refresh_token: an access token, no other refresh token
    POST /revoke       token, in the query or the body -> 200 {}, or 400 invalid_token for what
                       holds no longer. Ends whatever the account allowed to the project, on every
                       device. GET is answered 404
    GET  /tokeninfo    ?access_token
www.googleapis.com, youtube.googleapis.com
    GET  /youtube/v3/channels  ?part&mine=true, bearer (or ?access_token)
www.googleapis.com, openidconnect.googleapis.com
    GET  /oauth2/v3/userinfo, /v1/userinfo  bearer, with the scopes openid, profile, email

The tokens of an account are at most `most_refresh_tokens`; the oldest goes without a word. Left
out: ID tokens, and the end of a refresh token after six months without use.
"""
