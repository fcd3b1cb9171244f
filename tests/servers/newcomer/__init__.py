"""Stand-in for a service that is like none of the built-in ones; its provider file was written from
docs/providers.md and docs/provider-keys.md alone (tests/python/newcomer).

    python -m tests.servers newcomer [--port N] [--control-port N] [--directory D] [--with-parent]

On signin.REGION.newcomer-demo.example:
    POST   /v3/signin               form: login, pass -> {"data": {"tokens", "me"}}; else 403
    POST   /v3/renew                {"again"} -> the same, with a new "again"; else 403
On api.REGION.newcomer-demo.example, with a bearer token:
    GET    /v3/me                   {"uid", "mail", "nick"}
    GET    /v3/sessions             {"data": {"open": [{"sid", "mine"}]}}
    POST   /v3/sessions/{id}/end    {"state": "ended"}
    DELETE /v3/sessions/current     {"state": "ended"}; 401 without a live session
"""
