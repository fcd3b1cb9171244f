"""Stand-in for a Nextcloud: login flow v2, app passwords, the OCS calls about them, remote wipe.

As the developer manual and the server's own source have it. There is no user code: what the viewer
opens is the long address in `login`, which approve() takes in its place.
"""
