"""Stand-in for Angel Studios: a web application for three host names, over users and sessions.

    python -m tests.servers angel [--port N] [--control-port N] [--directory D] [--with-parent]

Parts: site (the web application on Starlette, with pages and cookies) over store (users, sessions,
state file, with tokens); settings (what a test can change); service (all of it, for the front).
"""
