"""Stand-in for any wiki: MediaWiki, which nobody here wrote, in PHP's own web server with SQLite.

It comes from Debian's package (`.ci/setup mediawiki`), and is configured and not changed.
https://wiki.home-demo.example has /index.php and /api.php.

Parts: install (where it is), service (the process, as the front sees it), wiki (making one),
database (what it keeps).

VIEWER's user name is Viewer@example.com: names begin with a capital.

A session is a row of MediaWiki's session store, somebody's:
    {"id", "email", "alive"}

A session lives an hour after its last use. Logging out needs the session's token. It does not end
the cookie wikiToken, which one has who asked to be remembered: that opens new sessions for ever.
"""
