"""Stand-in for a Jellyfin server at home, as 10.9 to 12.1 answer.

    python -m tests.servers jellyfin [--port N] [--control-port N] [--directory D] [--with-parent]

On jellyfin.home-demo.example, with Authorization: MediaBrowser Client, Device, DeviceId, Version:
    POST   /Users/AuthenticateByName              {"Username", "Pw"} -> {"User", "AccessToken", …}
    GET    /QuickConnect/Enabled                  true or false
    POST   /QuickConnect/Initiate                 {"Secret", "Code", …}
    GET    /QuickConnect/Connect?secret           the same; "Authenticated" tells when
    POST   /Users/AuthenticateWithQuickConnect    {"Secret"} -> as a login by name
and with Token in that header, or ?ApiKey=:
    POST   /QuickConnect/Authorize?code           what a viewer does who is logged in elsewhere
    GET    /Users/Me, /Users/{id}, /Sessions, /System/Info
    POST   /Sessions/Logout                       204; 401 for a token that is not alive
    GET    /Devices, DELETE /Devices?id           administrators only, else 403
    GET    /System/Info/Public                    without any of it

Codes are kept in memory alone: a restart forgets them. A viewer cannot refuse one.
The headers and the query of old (X-Emby-Token, …) are ignored unless legacy_authorization is set.
"""
