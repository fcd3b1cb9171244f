"""Stand-in for a service whose logout always answers 200 (FastAPI, PyJWT).

    python -m tests.servers idempotent [--port N] [--control-port N] [--directory D] [--with-parent]

    POST   /api/auth/login          FastAPI's OAuth2PasswordRequestForm, 422 for JSON
                                    -> success, access_token (15 minutes), token_type,
                                    expires_in, user; cookie refresh_token (30 days)
    POST   /api/auth/refresh        refresh_token -> success, access_token, expires_in; a new
                                    refresh_token. One that was used before ends its session
    GET    /api/auth/me             bearer -> id, email, name
    GET    /api/auth/sessions       bearer -> {"sessions": [{"id", "current", "created_at"}]}
    DELETE /api/auth/sessions/{id}  bearer -> {"success"}
    POST   /api/auth/logout         bearer and refresh_token, both optional -> success, message

A logout denies the access tokens of the session until they expire, deletes its refresh token and
the cookie, and is one event in the audit log. With generation "new" it answers 200 whatever it was
given, also when the database fails and nothing at all was revoked. With "old" it needs the bearer
token: 401 or 403 (`old_refusal`) to a missing, invalid, expired or revoked one, and 500 when the
database fails.

The cookie is deleted as Starlette does it: `refresh_token=""; Max-Age=0`, with `expires` at the
moment of the answer. The whole audit log: `audit_log` in tests/servers/fastapi_parts/audit.py.
"""
