"""Stand-in for WorkOS AuthKit, and for an application whose backend keeps its sessions there.

    python -m tests.servers workos [--port N] [--control-port N] [--directory D] [--with-parent]

Parts: application and urls (Django with the real `workos` package; keeps nothing, the session is
sealed in its cookie); api and authkit (WorkOS: its API, and its pages for people) over store and
devices (users, sessions, device codes), with tokens; service (all of it, for the front); settings
(what a test can change).

app.workos-demo.example, the application
    POST /api/login/        {"email", "password"} -> 200 {"user": {"id", "email", "name"}} and the
                            cookie wos_session; 401; 400 for what is no such JSON
    POST /api/refresh/      200 the same, with a new cookie; 401 when the session is over
    GET  /api/me/           200 {"id", "email", "name"}, by the cookie or by a bearer access token;
                            401
    POST /api/logout/       200 {"logout_url": the way out, or null without a session}, and the
                            cookie deleted; the session ends when that URL is opened, not before
    503 to any of these but the last, and no Set-Cookie, while WorkOS is away.

api.workos.com, bodies as JSON or as a form
    POST /user_management/authenticate          grant_type password (with client_secret),
                            refresh_token, urn:ietf:params:oauth:grant-type:device_code
    POST /user_management/authorize/device      RFC 8628, section 3.2
    GET  /user_management/sessions/logout       ?session_id[&return_to]: 302, for an unknown session
                            or one that is over just the same; 422 without session_id
    GET  /sso/jwks/{client_id}
    with the API key: GET /user_management/users/{id}, and …/sessions; POST …/sessions/revoke

signin.workos-demo.example: /device, where a user enters a code, and /sign-in

Milder or stricter than the real one: refresh tokens have no grace period here, and one that comes
a second time ends its session; set reuse_grace=30 and reuse_ends_session=false for the real ways.
"""
