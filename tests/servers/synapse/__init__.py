"""Stand-in for any Matrix homeserver: Synapse, which nobody here wrote.

It runs in an environment of its own (`.ci/setup synapse`), with the configuration that it generates
itself and ours beside it (SQLite, refresh tokens, no limit to how often one may try to log in).
https://matrix.home-demo.example/_matrix/client/v3 is the API.

Parts: install (where it is), service (the process, as the front sees it), database (what it keeps,
looked at only), admin (its API for administrators), clock (the stand-in's, inside of Synapse).

Who signs in with the e-mail address gives it as {"type": "m.id.thirdparty", "medium": "email",
"address"}. VIEWER is the user @viewer, NON_ASCII is @zoe.

A session is a device, in Synapse's words, with its access and refresh tokens:
    {"id", "email", "alive"}
alive       one of its tokens can still be used

A refresh token can be used again until something of what it was exchanged for was used. A logout
takes an access token that expired. A used refresh token ends nothing.
"""
