"""Stand-in for Twitch: its device code grant, and who the user is.

    python -m tests.servers twitch [--port N] [--control-port N] [--directory D] [--with-parent]

id.twitch.tv, fields as a form in either encoding, or in the query
    POST /oauth2/device    client_id, scopes -> device_code, user_code, verification_uri, …
    POST /oauth2/token     device_code, scopes and the device grant -> the tokens; 400 and
                           authorization_pending or invalid device code in `message`
                           refresh_token -> both tokens new; 400 Invalid refresh token
    POST /oauth2/revoke    client_id, token (an access token) -> 200 and no body; 400 Invalid
                           token; 404 client does not exist. The refresh token goes on working
    GET  /oauth2/validate  Authorization: OAuth (or Bearer) -> 200; 401
api.twitch.tv
    GET  /helix/users      Authorization: Bearer, and Client-Id of the same client

A public client's refresh token is for one use and 30 days. One that is sent a second time ends
whatever the user allowed to the client, on every device (an open issue of theirs).

Not documented: what a device hears whose user said no; here it waits until its code expires, or
what `denied_word` says. Whether a refresh token can be revoked: here it is no valid token.
"""
