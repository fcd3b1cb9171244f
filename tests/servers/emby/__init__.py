"""Stand-in for an Emby server at home, by its documentation and the last public source.

    python -m tests.servers emby [--port N] [--control-port N] [--directory D] [--with-parent]

On emby.home-demo.example, under /emby and at the root, with X-Emby-Authorization or Authorization:
Emby UserId, Client, Device, DeviceId, Version:
    POST   /Users/AuthenticateByName    {"Username", "Pw"} -> {"User", "AccessToken", …}; else 401
and with X-Emby-Token, Token in that header, or ?api_key=:
    GET    /Users/{id}, /Sessions, /System/Info
    POST   /Sessions/Logout             200 or 204; 401 for a token that is not alive
    GET    /Devices, DELETE /Devices?Id, POST /Devices/Delete?Id    administrators only
    GET    /System/Info/Public          without any of it

A second login of an account with one device is given the first one's token. Emby Connect is not
here. Refusals are plain texts; what no document says of them is a setting.
"""
