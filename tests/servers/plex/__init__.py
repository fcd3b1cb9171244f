"""Stand-in for the account API of plex.tv: PINs, tokens, devices. Not a Plex Media Server.

    python -m tests.servers plex [--port N] [--control-port N] [--directory D] [--with-parent]

On plex.tv and clients.plex.tv, with X-Plex-Client-Identifier always, and JSON where Accept says so:
    POST   /api/v2/pins[?strong=true]    201 {"id", "code", "expiresIn", "authToken": null, …}
    GET    /api/v2/pins/{id}             the same; by another client identifier, or too late: 404
    POST   /api/v2/users/signin          form: login, password -> 201, the user
and with X-Plex-Token:
    PUT    /api/v2/pins/link             form: code; what plex.tv/link does for a viewer
    GET    /api/v2/user, /api/v2/ping
    DELETE /api/v2/users/signout         204; 401 for a token that is not alive
On plex.tv alone:
    GET    /devices.xml                  the account's devices, with their tokens
    DELETE /devices/{id}.xml             200

Every link makes a new token, also for a client that had one; signing out ends one token, removing
a device all of its. A viewer cannot refuse a code. The way with JSON Web Tokens is not here.
"""
