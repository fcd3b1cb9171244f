"""Stand-in for Simkl (api.simkl.com): its PIN login, from api.simkl.org as of 2026.

    python -m tests.servers simkl [--port N] [--control-port N] [--directory D] [--with-parent]

    GET  /oauth/pin              ?client_id -> user_code, verification_uri, expires_in, interval
    GET  /oauth/pin/{user_code}  ?client_id -> always 200: result KO, Authorization pending; result
                                 OK and access_token; for a code that is unknown, collected or
                                 expired, what /oauth/pin answers: result OK, and another code
    POST /users/settings         ?client_id, bearer -> user, account; 401 user_token_failed

client_id may be the header simkl-api-key instead; a wrong one is answered 412 client_id_failed.
Every request needs a User-Agent, and a body Content-Type: application/json. app-name and
app-version are required by the documentation and not by the service, as a client shows that does
without; the setting `wants_app_name` refuses a request without.

There is no revocation: a token ends after five years, or when its user disconnects the application
on simkl.com. Not documented: what a device hears whose user said no; here it waits on.
"""
