"""Stand-in for a service with stateless JWTs whose logout is an audit event (FastAPI, PyJWT).

    python -m tests.servers jwt-audit [--port N] [--control-port N] [--directory D] [--with-parent]

    POST /auth/login    FastAPI's OAuth2PasswordRequestForm, 422 for JSON
                        -> access_token (30 minutes), token_type
    GET  /auth/me       bearer -> id, email, name
    POST /auth/logout   bearer -> {"message"}, and "audit_warning" when nothing could be recorded

A token goes on being accepted after its logout until it expires, unless the setting `deny_list` is
on; one that the control interface ended is refused at once. With generation "new" the logout
answers 200 whatever it was given; with "old" 401 or 403 (`old_refusal`) to a missing, invalid,
expired or revoked token, and 500 when the database fails.

A session of the control interface is a login: its id is the token's `jti`, and `logouts` counts
what the audit log has of it. The whole log: `audit_log` in tests/servers/fastapi_parts/audit.py.
"""
